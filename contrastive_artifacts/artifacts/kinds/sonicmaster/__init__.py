"""The 19 degradations of music mastering of SonicMaster (Melechovsky et al. 2025, arXiv 2508.03448).

A name of the set says what restoration has to bring back: ``eq_bright`` is short of highs, ``eq_dark`` has too many.
"""

from __future__ import annotations

from .equalizers import EQUALIZERS as EQUALIZERS
from .mastering import MASTERING as MASTERING
from .spaces import SPACES as SPACES
