"""The web process: hands over to monitoring/pages/main.py, answers /health, sets headers.

It refuses to start on a record of another version, at import: raised any later, the server would
bury the sentence in a traceback.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitoring.domain import MonitoringError
from monitoring.health import health
from monitoring.pages._session import now
from monitoring.settings import Settings, read_settings
from monitoring.store import Record, open_record, require_current

MAIN = Path(__file__).resolve().parent / "monitoring" / "pages" / "main.py"

WARM = ("pandas", "plotly.graph_objects", "pyarrow", "monitoring.ward", "monitoring.charts")
"""Loaded before the first visitor, and then set apart from the garbage collector."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    # What a note or a name holds can neither be framed nor fetch anything from elsewhere. The
    # page's own camera hands a photo on as a data address, which asks no server for anything.
    "Content-Security-Policy": (
        "img-src 'self' data: blob:; connect-src 'self' data:; font-src 'self' data:; "
        "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
}


def _open() -> tuple[Settings, Record]:
    try:
        settings = read_settings()
        record = open_record(settings.record_url)
        require_current(record)
    except MonitoringError as error:
        sys.exit(str(error))
    return settings, record


settings, record = _open()


def report(_: Request) -> JSONResponse:
    """What a probe reads. Its body matters: an unknown address answers 200 with the page."""
    found = health(record, now(), settings)
    return JSONResponse(found.report(), found.status, {"Cache-Control": "no-store"})


class Headers:
    """Adds HEADERS to every answer, streams included."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Loads what is heavy, then keeps the collector off it: it would walk it after every run."""
    for name in WARM:
        import_module(name)
    gc.collect()
    gc.freeze()
    yield
    record.close()


app = st.App(
    MAIN,
    lifespan=lifespan,
    routes=[Route("/health", report)],
    middleware=[Middleware(Headers)],
)
