"""Memory of a process that runs for days."""

from __future__ import annotations

import ctypes
import sys


def return_freed() -> None:
    """Returns freed memory to the system, where the allocator is glibc's; elsewhere does nothing.

    glibc keeps freed blocks in the pool of the thread that allocated them. Where large arrays are allocated in many
    threads, these pools grow to several times the memory in use.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if trim is not None:
            trim(0)
