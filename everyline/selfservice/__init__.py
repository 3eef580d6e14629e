"""Self-service: flows that are declared once and go on over any channel, errands, and what flows look up."""
