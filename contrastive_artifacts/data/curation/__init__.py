"""Checks recordings that should be clean: measures, flags with reasons, decisions of listeners, and a manifest."""

from __future__ import annotations

from .duplicates import find_pairs as find_pairs
from .limits import LIMITS as LIMITS
from .limits import Limit as Limit
from .measures import Measures as Measures
from .measures import measure as measure
from .survey import Finding as Finding
from .survey import survey as survey
