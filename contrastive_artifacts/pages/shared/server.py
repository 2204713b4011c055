"""What every local server of this package shares: who may ask, for what, and how it stops. Needs the extra ``serve``.

On a loopback address anyone on this machine may ask, but no web page of another origin: the Host header must name the
loopback (no DNS rebinding), and what changes something must be JSON from the page itself, or bytes where a path takes
them. Bound to any other address, a random token is required: in the address once (it moves to a cookie), or as
``Authorization: Bearer``. The line is not encrypted; beyond a network that you trust, put a TLS proxy in front or use
an SSH tunnel.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import ipaddress
import logging
import re
import secrets
import signal
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from types import FrameType
from urllib.parse import parse_qsl, urlencode, urlsplit

import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as PlainHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...core.errors import ArtifactsError, ParameterError, StorageError

MAX_BODY = 16 * 1024  # bytes of a request
JSON, BYTES = "application/json", "application/octet-stream"
UPLOADS = 4  # bodies of BYTES that are held at once: what memory they take is bounded however many come
UPLOAD_S = 120.0  # until a body of BYTES must be there, so that a stalled one gives its place away
_COOKIE = "contrastive_artifacts_token"
_SAFE = ("GET", "HEAD")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


@dataclass(frozen=True)
class Access:
    """Where a server listens, and the token that it asks for ("" on the loopback)."""

    host: str
    token: str = ""

    @classmethod
    def to(cls, host: str) -> Access:
        """Loopback without a token, anything else with a new random one."""
        return cls(host, "" if is_loopback(host) else secrets.token_urlsafe(24))


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Body:
    """What a path takes in: at most ``limit`` bytes of one kind, JSON or BYTES."""

    limit: int = MAX_BODY
    kind: str = JSON


class OpaqueIds:
    """Names that a client may use for what it must not name itself: paths never leave the server, nor come in.

    Ids are random in each process, so that none can be made up; what is unknown is a 404.
    """

    def __init__(self, names: Iterable[str]) -> None:
        key = secrets.token_bytes(16)
        self._ids = {name: hashlib.blake2b(name.encode(), digest_size=12, key=key).hexdigest() for name in names}
        self._names = {made: name for name, made in self._ids.items()}

    def of(self, name: str) -> str:
        return self._ids[name]

    def name(self, made: str) -> str:
        """The name behind an id.

        Raises:
            HTTPException: 404.
        """
        if made not in self._names:
            raise HTTPException(404, "There is nothing with this id; load the page again.")
        return self._names[made]


def make_app(title: str, access: Access, bodies: Mapping[str, Body] | None = None) -> FastAPI:
    """An application without routes that answers every error as ``{"error": text}`` and lets in only who may.

    Args:
        title: Its name.
        access: See :class:`Access`.
        bodies: Path -> what it takes, where that is not JSON of up to 16 KiB.
    """

    app = FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(_Guard, access=access, bodies=bodies or {})

    @app.exception_handler(PlainHTTPException)
    async def refused(_: Request, error: PlainHTTPException) -> Response:
        return _problem(error.status_code, str(error.detail), error.headers)

    @app.exception_handler(RequestValidationError)
    async def misfit(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return _problem(422, f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}")

    @app.exception_handler(ArtifactsError)
    async def instructive(_: Request, error: ArtifactsError) -> Response:
        return _problem(500 if isinstance(error, StorageError) else 400, str(error))

    @app.exception_handler(Exception)
    async def unexpected(_: Request, error: Exception) -> Response:
        logging.getLogger(__name__).error("%s: %s", type(error).__name__, error)
        return _problem(500, "The server failed at this; its terminal says why.")

    return app


def ranged(request: Request, data: bytes, mime: str) -> Response:
    """``data``, or the one range of it that the request asks for (RFC 9110, section 14): 200, 206 or 416."""
    headers = {"Accept-Ranges": "bytes"}
    match = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if match is None or match.groups() == ("", ""):  # none, several, or another unit: all of it
        return Response(data, media_type=mime, headers=headers)
    first, last = match.groups()
    start = int(first) if first else max(0, len(data) - int(last))
    stop = min(len(data), int(last) + 1) if first and last else len(data)
    if start >= stop:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{len(data)}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
    return Response(data[start:stop], 206, media_type=mime, headers=headers)


def serve(app: FastAPI, access: Access, port: int, ready: Callable[[str], None]) -> None:
    """Serves until SIGINT or SIGTERM, then lets answers under way end and returns.

    Args:
        app: See :func:`make_app`.
        access: Where to listen.
        port: 0 takes a free one.
        ready: Called with the address to open, token and all, once connections are taken.

    Raises:
        ParameterError: the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in access.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((access.host.strip("[]"), port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise ParameterError(f"Cannot listen on {access.host}:{port} ({error}); give another host= or port=.") from None
    listener.listen(128)
    name = f"[{access.host.strip('[]')}]" if ":" in access.host else access.host
    ready(f"http://{name}:{listener.getsockname()[1]}/" + (f"?token={access.token}" if access.token else ""))
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=3)
    # uvicorn raises the signal that stopped it once more behind its end; here that would end the process unfinished.
    with listener, _ignored(signal.SIGINT, signal.SIGTERM):
        uvicorn.Server(config).run(sockets=[listener])


@contextlib.contextmanager
def _ignored(*numbers: signal.Signals) -> Iterator[None]:
    def nothing(_: int, __: FrameType | None) -> None:
        return None

    before = {number: signal.signal(number, nothing) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Guard:
    """Refuses what may not come in before any route sees it."""

    def __init__(self, app: ASGIApp, access: Access, bodies: Mapping[str, Body]) -> None:
        self.app, self.access, self.bodies = app, access, bodies
        self._uploads = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
                return
            await self.app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                have = {name.lower() for name, _ in message["headers"]}
                extra = [(name, value) for name, value in _HEADERS if name not in have]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        wanted = self.bodies.get(scope["path"], Body())
        refusal = self._refusal(Request(scope), wanted)
        if refusal is not None or scope["method"] in _SAFE:
            await (self.app if refusal is None else refusal)(scope, receive, marked)
        elif wanted.kind == JSON:
            await self._taken_in(scope, receive, marked, wanted.limit, None)
        elif self._uploads >= UPLOADS:
            busy = _problem(503, f"{UPLOADS} uploads are under way; send it again in a moment.", {"Retry-After": "2"})
            await busy(scope, receive, marked)
        else:
            self._uploads += 1
            try:
                await self._taken_in(scope, receive, marked, wanted.limit, UPLOAD_S)
            finally:
                self._uploads -= 1

    async def _taken_in(self, scope: Scope, receive: Receive, send: Send, limit: int, seconds: float | None) -> None:
        """The answer to a request with a body, which is counted as it comes: one in chunks states no length."""
        try:
            async with asyncio.timeout(seconds):
                body = await _body(receive, limit)
        except TimeoutError:
            await _problem(408, f"The upload was not there within {seconds:g} s; send it again.")(scope, receive, send)
            return
        if body is None:
            await _too_large(limit)(scope, receive, send)
        else:
            await self.app(scope, _replayed(body, receive), send)

    def _refusal(self, request: Request, wanted: Body) -> Response | None:
        host = request.headers.get("host", "")
        if is_loopback(self.access.host) and not is_loopback(urlsplit(f"//{host}").hostname or ""):
            return _problem(403, "This server answers on the loopback address only.")
        if self.access.token and not self._knows(request):
            given = request.query_params.get("token", "")
            if request.method != "GET" or not _equal(given, self.access.token):
                return _problem(401, "Open the address with the token that the terminal shows.")
            return self._let_in(request)
        if request.method not in _SAFE:
            origin = request.headers.get("origin")
            if origin is not None and urlsplit(origin).netloc != host:
                return _problem(403, "Only this server's own page may change something.")
            if request.headers.get("content-type", "").partition(";")[0].strip().lower() != wanted.kind:
                what = "JSON" if wanted.kind == JSON else "the bytes of the file"
                return _problem(415, f"Send {what}, as {wanted.kind}.")
            length = request.headers.get("content-length", "0")
            if not length.isdigit() or int(length) > wanted.limit:
                return _too_large(wanted.limit)
        return None

    def _knows(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _equal(given.strip(), self.access.token):
            return True
        try:
            cookie = SimpleCookie(request.headers.get("cookie", "")).get(_COOKIE)
        except CookieError:
            return False
        return cookie is not None and _equal(cookie.value, self.access.token)

    def _let_in(self, request: Request) -> Response:
        """The same address without the token, which goes into a cookie: addresses are kept in histories and logs."""
        rest = urlencode([(k, v) for k, v in parse_qsl(request.url.query) if k != "token"])
        # One slash in front: "//elsewhere" would lead to another machine.
        target = "/" + request.url.path.lstrip("/") + (f"?{rest}" if rest else "")
        response = Response(status_code=303, headers={"Location": target})
        response.set_cookie(_COOKIE, self.access.token, httponly=True, samesite="strict")
        return response


async def _body(receive: Receive, limit: int) -> bytes | None:
    """All of a request's body; ``None`` when it is too long."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            return None
    return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _too_large(limit: int) -> JSONResponse:
    return _problem(413, f"This request may hold {limit} bytes at most.")


def _equal(given: str, token: str) -> bool:
    return secrets.compare_digest(given.encode(), token.encode())


def _problem(status: int, text: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": text}, status, headers)
