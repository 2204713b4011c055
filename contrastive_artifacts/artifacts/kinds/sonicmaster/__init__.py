"""The 19 degradations of music of SonicMaster (Melechovsky et al. 2025, arXiv 2508.03448), in three families.

Their names say what a restoration has to add: ``eq_bright`` lacks highs, ``eq_dark`` has too many.
"""

from __future__ import annotations

from .equalizers import EQUALIZERS as EQUALIZERS
from .mastering import MASTERING as MASTERING
from .spaces import SPACES as SPACES
