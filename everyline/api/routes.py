"""The API's application: its routers, its errors as problem documents (RFC 9457), its schema."""

from __future__ import annotations

from fastapi import FastAPI
from everyline import __version__


def create_api() -> FastAPI:
    """The application mounted at ``/api/v1``."""
    api = FastAPI(title="Everyline", version=__version__)
    return api
