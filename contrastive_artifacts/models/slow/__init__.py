"""Slow figures: features of a window of 2 to 30 s, for artifacts that shorter windows do not show.

They measure common changes of the level of all bands (pumping, gain steps), common changes of the frequency of all
partials (wow), and copies of the sound at lags of 0.5 to 2 s (print-through).
"""

from .figures import LEAST_S as LEAST_S
from .figures import SLOW_FIGURES as SLOW_FIGURES
from .figures import VERSION as VERSION
from .figures import slow_figures as slow_figures
