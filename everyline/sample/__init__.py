"""The sample company: Harbor County's public services office, all of it invented, the same every time."""
