"""Front-ends: waveform -> log-mel frames, one module per published recipe, its constants in one place."""

from .detail import DETAIL_SIZE as DETAIL_SIZE
from .detail import Detail as Detail
from .efficientat_mel import EfficientatMel as EfficientatMel
from .yamnet_mel import YamnetMel as YamnetMel
