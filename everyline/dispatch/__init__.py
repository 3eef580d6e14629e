"""The one way out: a row first, then the wire, then the result."""
