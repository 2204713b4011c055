"""An application that answers every error as JSON, without internal details."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException as PlainHTTPException

from ....core.errors import ArtifactsError, StorageError
from ..texts import without_folders
from .access import Access
from .guard import Body, Guard, problem


def make_app(
    title: str,
    access: Access,
    bodies: Mapping[str, Body] | None = None,
    statuses: Mapping[type[ArtifactsError], int] | None = None,
) -> FastAPI:
    """An application without routes that controls access and answers every error as ``{"error": text}``.

    Texts name files without their folders. A route of GET answers HEAD, too.

    Args:
        title: Its name.
        access: See :class:`Access`.
        bodies: Path -> its request body, if that is not JSON of up to 16 KiB.
        statuses: Error -> HTTP status, if that is not 500 for a StorageError and 400 for others.
    """
    by_error: dict[type, int] = {StorageError: 500, ArtifactsError: 400, **(statuses or {})}
    app = FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, access=access, bodies=bodies or {})

    @app.exception_handler(PlainHTTPException)
    async def refused(_: Request, error: PlainHTTPException) -> Response:
        return problem(error.status_code, str(error.detail), error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return problem(422, f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}")

    @app.exception_handler(ArtifactsError)
    async def raised(_: Request, error: ArtifactsError) -> Response:
        status = next(by_error[kind] for kind in type(error).__mro__ if kind in by_error)
        return problem(status, without_folders(str(error)))

    @app.exception_handler(Exception)
    async def unexpected(_: Request, error: Exception) -> Response:
        logging.getLogger(__name__).error("%s: %s", type(error).__name__, error)
        return problem(500, "The server failed; its terminal shows the error.")

    return app


def add_page(app: FastAPI, page: Callable[[], str]) -> None:
    """Adds the page at ``/``, whose HTML ``page`` makes at each request; it has no icon."""

    @app.get("/")
    def index() -> Response:
        return HTMLResponse(page())

    @app.get("/favicon.ico")
    def icon() -> Response:
        return Response(status_code=204)
