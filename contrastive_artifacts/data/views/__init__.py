"""Paired views and batches: the same window of a source, clean and with each artifact.

A view is made in two steps. The artifact is rendered at the clip's native rate. Then every state, clean included, takes
the same finishing path: loudness matched to the clean window, a random spectral tilt, a random gain, resampling to the
encoder's rate. Traces of the finishing path are therefore no cue to the state. Detail figures that resampling would
blur (:mod:`...models.detail.native`) are computed before it, for every state alike.

A batch holds S sources times all K states, so it always contains the hardest negatives (same sound, other state).

A share of the damaged views can be spliced: clean except for a span that holds the artifact. The onset and offset of
the span are known to the sample and label frames at no cost (Kuhlmann et al., arXiv 2605.21332).
"""

from .batches import Batch as Batch
from .batches import TrainingBatches as TrainingBatches
from .batches import stack as stack
from .cache import ClipCache as ClipCache
from .rendering import LEVEL_DBFS as LEVEL_DBFS
from .rendering import View as View
from .rendering import evaluation_views as evaluation_views
from .rendering import render_views as render_views
from .rendering import tilt_and_level as tilt_and_level
from .settings import ViewSettings as ViewSettings
from .settings import check_damage as check_damage
from .sources import LOWER_RATES as LOWER_RATES
from .sources import augment as augment
from .sources import cut_window as cut_window
from .sources import lower_rate as lower_rate
from .sources import window_start as window_start
