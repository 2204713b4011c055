"""Faults that recur in several recordings as one HTML file."""

from .page import Place as Place
from .page import RecurringFault as RecurringFault
from .page import write_recurrences as write_recurrences
