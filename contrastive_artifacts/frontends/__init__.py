"""Front-ends: waveform -> log-mel frames, one module per published recipe, its constants in one place."""

from .byol_a_mel import ByolAMel as ByolAMel
from .detail import DETAIL_SIZE as DETAIL_SIZE
from .detail import Detail as Detail
from .efficientat_mel import EfficientatMel as EfficientatMel
from .figures import DetailFigures as DetailFigures
from .kaldi_fbank import KaldiFbank as KaldiFbank
from .native_detail import NativeDetail as NativeDetail
from .native_detail import numpy_detail as numpy_detail
from .panns_mel import PannsMel as PannsMel
from .yamnet_mel import YamnetMel as YamnetMel

DETAILS: dict[int, type[Detail] | type[NativeDetail]] = {1: Detail, 2: NativeDetail}  # version -> figures
