"""Whether freed memory returns to the system: at once slows loops over arrays of megabytes, never fills a server."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

import numpy as np

_LARGEST = 2**25 - 2**16  # bytes: a little less than the largest block from which glibc adapts its thresholds


@cache
def keep_freed() -> None:
    """Lets the allocator reuse freed blocks of up to 32 MB, where it is glibc's; elsewhere does nothing.

    By default glibc gets large blocks from the system and returns them when they are freed, so the system clears all
    their pages each time: a seventh of the time of the figures of a window. Its thresholds grow to the largest block
    that was freed (mallopt(3)); this allocates and frees one, without touching it.
    """
    np.empty(_LARGEST, np.uint8)


def return_freed() -> None:
    """Returns freed memory to the system, where the allocator is glibc's; elsewhere does nothing.

    glibc keeps freed blocks in the pool of the thread that allocated them. Where large arrays are allocated in many
    threads, these pools grow to several times the memory in use.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if trim is not None:
            trim(0)
