"""Runs an application until it is interrupted."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn
from fastapi import FastAPI

from ....core.errors import ParameterError
from .access import Access
from .connections import ACCEPTED, IDLE_S, LimitedConnection

_HEAD_BYTES = 16 * 1024  # of a request's line and headers


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
    with listening(access, port) as (listener, address):
        ready(address)
        answer(app, listener)


@contextlib.contextmanager
def listening(access: Access, port: int) -> Iterator[tuple[socket.socket, str]]:
    """A socket that takes connections, whose requests wait for :func:`answer`, and the address of the page.

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
    listener.listen(ACCEPTED)
    name = f"[{access.host.strip('[]')}]" if ":" in access.host else access.host
    with listener:
        token = f"?token={access.token}" if access.token else ""
        yield listener, f"http://{name}:{listener.getsockname()[1]}/{token}"


def answer(app: FastAPI, listener: socket.socket) -> None:
    """Answers requests until SIGINT or SIGTERM, then finishes the answers in progress and returns."""
    # uvicorn raises the signal that stopped it again after its end, which would end the process before its cleanup.
    with _ignored(signal.SIGINT, signal.SIGTERM):
        server_of(app).run(sockets=[listener])


def server_of(app: FastAPI) -> uvicorn.Server:
    """A server with limits on connections, the time that they may be idle, and the size of a request's head."""
    config = uvicorn.Config(
        app,
        http=LimitedConnection,
        ws="none",
        loop="asyncio",  # takes at most ``backlog`` connections at once; uvloop has no such limit
        backlog=ACCEPTED,
        h11_max_incomplete_event_size=_HEAD_BYTES,
        timeout_keep_alive=round(IDLE_S),
        timeout_graceful_shutdown=3,
        log_level="warning",
        access_log=False,
        server_header=False,
    )
    return uvicorn.Server(config)


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
