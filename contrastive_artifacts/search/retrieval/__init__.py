"""Retrieval: queries, hits as spans of recordings, and clusters that recur in an archive."""

from __future__ import annotations

from .archive import Signals as Signals
from .archive import embed_recordings as embed_recordings
from .archive import index_table as index_table
from .clusters import Recurrence as Recurrence
from .clusters import cluster as cluster
from .clusters import recurrences as recurrences
from .clusters import write_recurrences_csv as write_recurrences_csv
from .parts import EmbeddingParts as EmbeddingParts
from .projector import write_projector as write_projector
from .query import mean_of as mean_of
from .query import of_label as of_label
from .query import of_span as of_span
from .query import sources_of as sources_of
from .query import unlike as unlike
from .roots import OutsideRootsError as OutsideRootsError
from .roots import Roots as Roots
from .roots import record_roots as record_roots
from .roots import roots_of as roots_of
from .search import SpanHit as SpanHit
from .search import check_places as check_places
from .search import is_unknown as is_unknown
from .search import retrieve as retrieve
from .search import write_hits_csv as write_hits_csv
from .sounds import channel_of as channel_of
from .sounds import clean_of as clean_of
from .sounds import replayed as replayed
from .sounds import run_of_index as run_of_index
from .sounds import sound_of as sound_of
from .sounds import write_clips as write_clips
