"""A package of its own, so that none of the same name that a library installs takes its place."""
