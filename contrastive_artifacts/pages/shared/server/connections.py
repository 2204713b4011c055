"""Connections that are limited in number and in the time that they may be idle.

uvicorn closes a connection that is idle after an answer, but not one that never sends a request, sends one byte by
byte, or does not read its answer; and over its ``limit_concurrency`` it refuses requests while idle connections stay.
"""

from __future__ import annotations

import asyncio
import contextlib

from uvicorn.protocols.http.h11_impl import H11Protocol

IDLE_S = 10.0  # without a complete request, or without reading the answer; closed within twice this time
ACCEPTED = 64  # connections that wait to be accepted, and that are accepted at once
MOST_CONNECTIONS = 256
_SHARE = 3  # at most this part of the process's file descriptors are connections: recordings need descriptors, too
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class LimitedConnection(H11Protocol):
    """A connection. When there are too many, the one that is idle for the longest time makes room for a new one."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._unsent, self._idle_since = 0, self.loop.time()
        self._check = self.loop.call_later(IDLE_S, self._close_if_stalled)
        if len(self.connections) > most_connections():
            idle = [other for other in self.connections if isinstance(other, LimitedConnection) and other._is_idle()]
            oldest = min((other for other in idle if other is not self), key=lambda c: c._idle_since, default=None)
            if oldest is None:
                transport.write(_BUSY)
                transport.close()
            else:
                oldest.transport.abort()
                self.connections.discard(oldest)

    def connection_lost(self, exc: Exception | None) -> None:
        self._check.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self._idle_since = self.loop.time()
        super().on_response_complete()

    def _is_idle(self) -> bool:
        answered = self.cycle is None or self.cycle.response_complete
        return answered and not self.transport.get_write_buffer_size()

    def _close_if_stalled(self) -> None:
        """Closes a connection that is idle for :data:`IDLE_S`, or has not read a byte of its answer in that time."""
        unsent = self.transport.get_write_buffer_size()
        if (unsent and unsent == self._unsent) or (self._is_idle() and self.loop.time() - self._idle_since >= IDLE_S):
            self.transport.abort()
            return
        self._unsent = unsent
        self._check = self.loop.call_later(IDLE_S, self._close_if_stalled)


def most_connections() -> int:
    """:data:`MOST_CONNECTIONS`, or fewer where the process may open few files."""
    with contextlib.suppress(ImportError, OSError):
        import resource  # not on Windows

        descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if descriptors != resource.RLIM_INFINITY:
            return max(8, min(MOST_CONNECTIONS, descriptors // _SHARE))
    return MOST_CONNECTIONS
