"""Refuses requests without access, or with a body that a path does not accept, before they reach a route."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ....core import memory
from .access import Access, equal, is_loopback

MAX_BODY = 16 * 1024  # bytes of a request
JSON, BYTES = "application/json", "application/octet-stream"
UPLOADS = 4  # uploads that are received at once, which bounds their memory
UPLOAD_S = 120.0  # time limit of an upload, so that a stalled one does not block others
BODY_S = 20.0  # time limit of a JSON body
_COOKIE = "contrastive_artifacts_token"
_SAFE = ("GET", "HEAD")
_HOST = re.compile(r"([\w.~-]*|\[[\da-f:.]+\])(:\d{0,5})?", re.ASCII | re.IGNORECASE)
_LENGTH = re.compile(r"\d{1,18}", re.ASCII)  # int() refuses thousands of digits
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


@dataclass(frozen=True)
class Body:
    """The request body that a path accepts: at most ``limit`` bytes, of the kind JSON or BYTES."""

    limit: int = MAX_BODY
    kind: str = JSON


class Guard:
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

        head = scope["method"] == "HEAD"

        async def send_with_headers(message: Message) -> None:
            if head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            if message["type"] == "http.response.start":
                have = {name.lower() for name, _ in message["headers"]}
                extra = [(name, value) for name, value in _HEADERS if name not in have]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        expected = self.bodies.get(scope["path"], Body())
        refusal = self._refusal(Request(scope), expected)
        if head:  # answered by the routes of GET; a range is defined for GET only
            rest = [(name, value) for name, value in scope["headers"] if name.lower() != b"range"]
            scope = {**scope, "method": "GET", "headers": rest}
        if refusal is not None or scope["method"] in _SAFE:
            await (self.app if refusal is None else refusal)(scope, receive, send_with_headers)
        elif expected.kind == JSON:
            await self._with_body(scope, receive, send_with_headers, expected.limit, BODY_S)
        elif self._uploads >= UPLOADS:
            busy = problem(503, f"{UPLOADS} uploads are running; send it again in a moment.", {"Retry-After": "2"})
            await busy(scope, receive, send_with_headers)
        else:
            self._uploads += 1
            try:
                await self._with_body(scope, receive, send_with_headers, expected.limit, UPLOAD_S)
            finally:
                self._uploads -= 1
                memory.return_freed()

    async def _with_body(self, scope: Scope, receive: Receive, send: Send, limit: int, seconds: float) -> None:
        """Answers a request with a body; its bytes are counted on arrival, since a chunked body states no length."""
        try:
            async with asyncio.timeout(seconds):
                body = await _body(receive, limit)
        except TimeoutError:
            await problem(408, f"The request took longer than {seconds:g} s to arrive; send it again.")(
                scope, receive, send
            )
            return
        if body is None:
            await _too_large(limit)(scope, receive, send)
        else:
            await self.app(scope, _replayed(body, receive), send)

    def _refusal(self, request: Request, expected: Body) -> Response | None:
        host = request.headers.get("host", "")
        name = _host_name(host)
        if name is None:
            return problem(400, "The Host header is no host name or address.")
        if is_loopback(self.access.host) and not is_loopback(name):
            return problem(403, "This server answers on the loopback address only.")
        if self.access.token and not self._has_token(request):
            given = request.query_params.get("token", "")
            if request.method not in _SAFE or not equal(given, self.access.token):
                return problem(401, "Open the address that the terminal shows; it contains the token.")
            return self._move_token(request)
        if request.method not in _SAFE:
            origin = request.headers.get("origin")
            if origin is not None:
                try:
                    same = urlsplit(origin).netloc == host
                except ValueError:
                    return problem(400, "The Origin header is no address.")
                if not same:
                    return problem(403, "Only the page of this server may change something.")
            if request.headers.get("content-type", "").partition(";")[0].strip().lower() != expected.kind:
                what = "JSON" if expected.kind == JSON else "the bytes of the file"
                return problem(415, f"Send {what}, as {expected.kind}.")
            length = request.headers.get("content-length", "0")
            if not _LENGTH.fullmatch(length) or int(length) > expected.limit:
                return _too_large(expected.limit)
        return None

    def _has_token(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and equal(given.strip(), self.access.token):
            return True
        try:
            cookie = SimpleCookie(request.headers.get("cookie", "")).get(_COOKIE)
        except CookieError:
            return False
        return cookie is not None and equal(cookie.value, self.access.token)

    def _move_token(self, request: Request) -> Response:
        """A redirect to the same address without the token, which is moved to a cookie: addresses end up in logs."""
        rest = urlencode([(k, v) for k, v in parse_qsl(request.url.query) if k != "token"])
        # Exactly one slash in front: "//elsewhere" would redirect to another machine.
        target = "/" + request.url.path.lstrip("/") + (f"?{rest}" if rest else "")
        response = Response(status_code=303, headers={"Location": target})
        response.set_cookie(_COOKIE, self.access.token, httponly=True, samesite="strict")
        return response


def _host_name(host: str) -> str | None:
    """The name or address in a Host header, "" if there is none; None if it is malformed."""
    try:
        return (urlsplit(f"//{host}").hostname or "") if _HOST.fullmatch(host) else None
    except ValueError:
        return None


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
    return problem(413, f"The body of this request may have {limit} bytes at most.")


def problem(status: int, text: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An error as every server answers it."""
    return JSONResponse({"error": text}, status, headers)
