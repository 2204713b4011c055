"""Heavy work of a server, two at a time, so that light requests are answered meanwhile. Needs the extra ``serve``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from fastapi import HTTPException, Request
from fastapi.concurrency import run_in_threadpool

P = ParamSpec("P")
T = TypeVar("T")

AT_ONCE = 2
WAITING = 64  # beyond that a request is told to come again


class Work:
    """Decoding, spectrograms, embedding and searches pass through here."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def do(self, request: Request, call: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """The outcome of ``call``, in a thread, when its turn has come.

        Raises:
            HTTPException: 503 when 64 wait already; 499 when whoever asked has gone before its turn.
        """
        if self._waiting >= WAITING:
            raise HTTPException(503, "The server is busy; ask again in a moment.", {"Retry-After": "1"})
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        try:
            if await request.is_disconnected():
                raise HTTPException(499, "Nobody waits for this any more.")
            return await run_in_threadpool(call, *args, **options)
        finally:
            self._places.release()
