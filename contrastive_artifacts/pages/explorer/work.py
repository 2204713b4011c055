"""Slow requests of a server, two at a time, so that quick ones are answered meanwhile. Needs the extra ``serve``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from fastapi import HTTPException, Request

P = ParamSpec("P")
T = TypeVar("T")

AT_ONCE = 2
WAITING = 64  # further requests are refused with 503


class Work:
    """Runs decoding, spectrograms, embedding and searches in threads."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._threads = ThreadPoolExecutor(AT_ONCE)  # few threads: each has a memory pool of its own

    async def do(self, request: Request, call: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Runs ``call`` in a thread, after those that wait already.

        Raises:
            HTTPException: 503 if 64 calls wait already; 499 if the client disconnected before its turn.
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
                raise HTTPException(499, "The client has disconnected.")
            return await asyncio.get_running_loop().run_in_executor(self._threads, partial(call, *args, **options))
        finally:
            self._places.release()
