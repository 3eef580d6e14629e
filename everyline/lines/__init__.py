"""Our public addresses on the channels."""
