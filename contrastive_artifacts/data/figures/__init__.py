"""Views in bulk: rendered views whose figures are stored in memory-mapped files, so that an epoch takes seconds."""

from .arrays import columns as columns
from .batches import CachedViews as CachedViews
from .batches import SetBatch as SetBatch
from .cache import FigureCache as FigureCache
from .fill import fill as fill
from .recipe import Recipe as Recipe
from .views import FigureView as FigureView
from .views import block_views as block_views
