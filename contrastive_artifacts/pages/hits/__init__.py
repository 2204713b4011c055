"""The hits of a query as one HTML file."""

from .page import HitRow as HitRow
from .page import write_hits as write_hits
