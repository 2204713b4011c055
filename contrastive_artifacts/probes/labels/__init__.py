"""User labels of rows: stored with provenance, matched to rows by the place of the sound, used to correct the probe."""

from __future__ import annotations

from .apply import Applied as Applied
from .apply import apply_labels as apply_labels
from .export import read_labels as read_labels
from .export import write_labels as write_labels
from .judging import Judgement as Judgement
from .match import matching as matching
from .refit import Refit as Refit
from .refit import refit as refit
from .row import ACTIONS as ACTIONS
from .row import KEEP as KEEP
from .row import REJECT as REJECT
from .row import RELABEL as RELABEL
from .row import UNDO as UNDO
from .row import RowLabel as RowLabel
from .row import check_label as check_label
from .row import shown_label as shown_label
from .store import MOST_ROWS as MOST_ROWS
from .store import Labels as Labels
