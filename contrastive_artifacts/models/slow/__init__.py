"""What only many seconds show: common motion of level and of speed, and copies of the sound at long lags.

Figures of a stretch of some 2 to 30 s, for artifacts that no frame or patch betrays: pumping and gain steps (all bands
move alike), wow (all partials move alike), print-through (a faint copy a turn earlier or later).
"""

from .stretch import LEAST_S as LEAST_S
from .stretch import SLOW_FIGURES as SLOW_FIGURES
from .stretch import VERSION as VERSION
from .stretch import slow_figures as slow_figures
