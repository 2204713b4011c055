"""Memory that is freed and allocated again is not cleared by the system in between."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

ARRAYS = """
import resource, sys
import numpy as np
from contrastive_artifacts.core import memory
if sys.argv[1] == "keep":
    memory.keep_freed()
for n in range(21):
    arrays = [np.ones(2**20, np.float64) for _ in range(3)]
    del arrays
    if n == 0:
        first = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - first)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc's allocator is configured")
def test_freed_blocks_are_reused():
    """Page faults of 20 rounds over 24 MB: none but a few; some thousands where every block comes from the system."""
    faults = {
        mode: int(subprocess.run([sys.executable, "-c", ARRAYS, mode], capture_output=True, check=True).stdout)
        for mode in ("keep", "return")
    }
    assert faults["keep"] < 500
    assert faults["return"] > 2 * faults["keep"]
