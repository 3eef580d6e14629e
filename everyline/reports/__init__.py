"""The reports: figures of the past as tables and charts, down to the cases; put together, kept, exported and sent."""
