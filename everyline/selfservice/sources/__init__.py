"""Customer sources: what others know of a customer, looked up by HTTP, in a PostgreSQL database, or in a table of our own."""

from everyline.selfservice.sources.answers import Down, Found, Missing, Result
from everyline.selfservice.sources.looking import look_up

__all__ = ["Down", "Found", "Missing", "Result", "look_up"]
