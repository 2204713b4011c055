"""Local web pages to look at and listen to what an encoder learned."""

from __future__ import annotations

from .hits_page import HitRow as HitRow
from .hits_page import write_hits as write_hits
from .map_page import MapPoint as MapPoint
from .map_page import write_map as write_map
from .preview import encode_preview as encode_preview
from .sheet import SheetRow as SheetRow
from .sheet import write_sheet as write_sheet
