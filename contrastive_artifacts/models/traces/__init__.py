"""Trace figures: features of a window that echoes, rooms, repeated audio, comb filters, thumps and rumble leave.

They measure copies of the sound at lags of 2 to 550 ms, exact repeats at lags of 5 to 125 ms, notches at equal
distances, and the bands below 160 Hz.
"""

from .figures import LEAST_S as LEAST_S
from .figures import TRACE_FIGURES as TRACE_FIGURES
from .figures import VERSION as VERSION
from .figures import trace_figures as trace_figures
