"""Access control, errors and shutdown of the local servers. Needs the extra ``serve``.

On a loopback address every process of the machine has access, but no web page of another origin: the Host header must
name the loopback (against DNS rebinding), and a request that changes something must be JSON from the page itself, or
bytes on a path that takes uploads. On any other address, a random token is required: once in the address (it is moved
to a cookie), or as ``Authorization: Bearer``. Connections are not encrypted; outside a trusted network use a TLS proxy
or an SSH tunnel.
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
UPLOADS = 4  # uploads that are received at once, which bounds their memory
UPLOAD_S = 120.0  # time limit of an upload, so that a stalled one does not block others
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
    """Address on which a server listens, and the token that it requires ("" on the loopback)."""

    host: str
    token: str = ""

    @classmethod
    def to(cls, host: str) -> Access:
        """No token for a loopback address, a new random one for any other."""
        return cls(host, "" if is_loopback(host) else secrets.token_urlsafe(24))


def is_loopback(host: str) -> bool:
    """Whether a host name or address is the loopback of this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Body:
    """The request body that a path accepts: at most ``limit`` bytes, of the kind JSON or BYTES."""

    limit: int = MAX_BODY
    kind: str = JSON


class OpaqueIds:
    """Ids that stand for paths in requests and answers, so that clients neither see nor send paths.

    Ids are keyed with a random key per process, so that they cannot be guessed; an unknown id is a 404.
    """

    def __init__(self, names: Iterable[str]) -> None:
        key = secrets.token_bytes(16)
        self._ids = {name: hashlib.blake2b(name.encode(), digest_size=12, key=key).hexdigest() for name in names}
        self._names = {opaque: name for name, opaque in self._ids.items()}

    def of(self, name: str) -> str:
        """The id of a name."""
        return self._ids[name]

    def name(self, opaque: str) -> str:
        """The name of an id.

        Raises:
            HTTPException: 404 for an unknown id.
        """
        if opaque not in self._names:
            raise HTTPException(404, "There is nothing with this id; load the page again.")
        return self._names[opaque]


def make_app(title: str, access: Access, bodies: Mapping[str, Body] | None = None) -> FastAPI:
    """An application without routes that controls access and answers every error as ``{"error": text}``.

    Args:
        title: Its name.
        access: See :class:`Access`.
        bodies: Path -> its request body, if that is not JSON of up to 16 KiB.
    """

    app = FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(_Guard, access=access, bodies=bodies or {})

    @app.exception_handler(PlainHTTPException)
    async def refused(_: Request, error: PlainHTTPException) -> Response:
        return _problem(error.status_code, str(error.detail), error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return _problem(422, f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}")

    @app.exception_handler(ArtifactsError)
    async def raised(_: Request, error: ArtifactsError) -> Response:
        return _problem(500 if isinstance(error, StorageError) else 400, str(error))

    @app.exception_handler(Exception)
    async def unexpected(_: Request, error: Exception) -> Response:
        logging.getLogger(__name__).error("%s: %s", type(error).__name__, error)
        return _problem(500, "The server failed; its terminal shows the error.")

    return app


def ranged(request: Request, data: bytes, mime: str) -> Response:
    """``data``, or the single range of it that the request names (RFC 9110, section 14): status 200, 206 or 416."""
    headers = {"Accept-Ranges": "bytes"}
    match = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if match is None or match.groups() == ("", ""):  # no range, several ranges or another unit: the whole
        return Response(data, media_type=mime, headers=headers)
    first, last = match.groups()
    start = int(first) if first else max(0, len(data) - int(last))
    stop = min(len(data), int(last) + 1) if first and last else len(data)
    if start >= stop:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{len(data)}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
    return Response(data[start:stop], 206, media_type=mime, headers=headers)


def serve(app: FastAPI, access: Access, port: int, ready: Callable[[str], None]) -> None:
    """Serves until SIGINT or SIGTERM, then finishes the answers in progress and returns.

    Args:
        app: See :func:`make_app`.
        access: Address on which to listen.
        port: 0 for any free port.
        ready: Called with the address of the page, including the token, when the server accepts connections.

    Raises:
        ParameterError: the server cannot listen on the address.
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
    # uvicorn raises the signal that stopped it again after its end, which would end the process before its cleanup.
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
    """Refuses requests without access before they reach a route."""

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

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                have = {name.lower() for name, _ in message["headers"]}
                extra = [(name, value) for name, value in _HEADERS if name not in have]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        expected = self.bodies.get(scope["path"], Body())
        refusal = self._refusal(Request(scope), expected)
        if refusal is not None or scope["method"] in _SAFE:
            await (self.app if refusal is None else refusal)(scope, receive, send_with_headers)
        elif expected.kind == JSON:
            await self._with_body(scope, receive, send_with_headers, expected.limit, None)
        elif self._uploads >= UPLOADS:
            busy = _problem(503, f"{UPLOADS} uploads are running; send it again in a moment.", {"Retry-After": "2"})
            await busy(scope, receive, send_with_headers)
        else:
            self._uploads += 1
            try:
                await self._with_body(scope, receive, send_with_headers, expected.limit, UPLOAD_S)
            finally:
                self._uploads -= 1

    async def _with_body(self, scope: Scope, receive: Receive, send: Send, limit: int, seconds: float | None) -> None:
        """Answers a request with a body; its bytes are counted on arrival, since a chunked body states no length."""
        try:
            async with asyncio.timeout(seconds):
                body = await _body(receive, limit)
        except TimeoutError:
            await _problem(408, f"The upload took longer than {seconds:g} s; send it again.")(scope, receive, send)
            return
        if body is None:
            await _too_large(limit)(scope, receive, send)
        else:
            await self.app(scope, _replayed(body, receive), send)

    def _refusal(self, request: Request, expected: Body) -> Response | None:
        host = request.headers.get("host", "")
        if is_loopback(self.access.host) and not is_loopback(urlsplit(f"//{host}").hostname or ""):
            return _problem(403, "This server answers on the loopback address only.")
        if self.access.token and not self._has_token(request):
            given = request.query_params.get("token", "")
            if request.method != "GET" or not _equal(given, self.access.token):
                return _problem(401, "Open the address that the terminal shows; it contains the token.")
            return self._move_token(request)
        if request.method not in _SAFE:
            origin = request.headers.get("origin")
            if origin is not None and urlsplit(origin).netloc != host:
                return _problem(403, "Only the page of this server may change something.")
            if request.headers.get("content-type", "").partition(";")[0].strip().lower() != expected.kind:
                what = "JSON" if expected.kind == JSON else "the bytes of the file"
                return _problem(415, f"Send {what}, as {expected.kind}.")
            length = request.headers.get("content-length", "0")
            if not length.isdigit() or int(length) > expected.limit:
                return _too_large(expected.limit)
        return None

    def _has_token(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _equal(given.strip(), self.access.token):
            return True
        try:
            cookie = SimpleCookie(request.headers.get("cookie", "")).get(_COOKIE)
        except CookieError:
            return False
        return cookie is not None and _equal(cookie.value, self.access.token)

    def _move_token(self, request: Request) -> Response:
        """A redirect to the same address without the token, which is moved to a cookie: addresses end up in logs."""
        rest = urlencode([(k, v) for k, v in parse_qsl(request.url.query) if k != "token"])
        # Exactly one slash in front: "//elsewhere" would redirect to another machine.
        target = "/" + request.url.path.lstrip("/") + (f"?{rest}" if rest else "")
        response = Response(status_code=303, headers={"Location": target})
        response.set_cookie(_COOKIE, self.access.token, httponly=True, samesite="strict")
        return response


async def _body(receive: Receive, limit: int) -> bytes | None:
    """The whole body of a request; None if it is too long."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            return None
    return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _too_large(limit: int) -> JSONResponse:
    return _problem(413, f"The body of this request may have {limit} bytes at most.")


def _equal(given: str, token: str) -> bool:
    return secrets.compare_digest(given.encode(), token.encode())


def _problem(status: int, text: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": text}, status, headers)
