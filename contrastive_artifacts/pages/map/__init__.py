"""The map of an embedding as one HTML file."""

from .page import MapPoint as MapPoint
from .page import write_map as write_map
