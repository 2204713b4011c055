"""Two copies of one recording: how they lie to each other in time and level, and which faults are in which of them."""

from .alignment import Alignment as Alignment
from .alignment import align as align
from .comparison import Comparison as Comparison
from .comparison import SharedFault as SharedFault
from .comparison import compare as compare
