"""Detail figures: features of the waveform that a log-mel spectrogram does not contain."""

from .figures import DetailFigures as DetailFigures
from .native import NativeDetail as NativeDetail
from .native import numpy_detail as numpy_detail
from .resampled import DETAIL_SIZE as DETAIL_SIZE
from .resampled import Detail as Detail

DETAILS: dict[int, type[Detail] | type[NativeDetail]] = {1: Detail, 2: NativeDetail}  # version -> figures
