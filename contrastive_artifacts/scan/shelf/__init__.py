"""The report of a shelf: one page over many recordings, the most damaged first."""

from .report import REPORT as REPORT
from .report import write_report as write_report
