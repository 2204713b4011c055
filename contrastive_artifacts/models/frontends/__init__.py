"""Front-ends: waveform -> log-mel frames, one module per published recipe, its constants in one place."""

from .byol_a_mel import ByolAMel as ByolAMel
from .efficientat_mel import EfficientatMel as EfficientatMel
from .kaldi_fbank import KaldiFbank as KaldiFbank
from .panns_mel import PannsMel as PannsMel
from .yamnet_mel import YamnetMel as YamnetMel
