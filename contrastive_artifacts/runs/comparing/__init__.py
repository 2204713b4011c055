"""Comparison of backbones and encoders: accuracy of probes on their features, and cost."""

from .candidates import Candidate as Candidate
from .candidates import choose as choose
from .candidates import missing as missing
from .cost import measure_cost as measure_cost
from .report import columns as columns
from .report import markdown as markdown
from .rows import CompareSettings as CompareSettings
from .rows import Side as Side
from .rows import compare as compare
from .rows import folds_of as folds_of
