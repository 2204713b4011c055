"""Paired datasets on disk: clean clips, damaged views of them, and a manifest with the exact parameters."""

from .formats import LAYOUTS as LAYOUTS
from .formats import Layout as Layout
from .plan import DatasetSettings as DatasetSettings
from .plan import make_plan as make_plan
from .render import Rendered as Rendered
from .render import joined_shards as joined_shards
from .render import render_dataset as render_dataset
from .source import corpus_at as corpus_at
