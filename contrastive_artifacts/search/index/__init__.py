"""An index: vectors of one encoder, searched by similarity and filtered by metadata."""

from __future__ import annotations

from .checks import check_k as check_k
from .index import Hit as Hit
from .index import Index as Index
from .index import home_of as home_of
from .metadata import Where as Where
from .metadata import rows_at as rows_at
