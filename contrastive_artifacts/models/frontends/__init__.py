"""Front-ends: waveform -> log-mel spectrogram, one module per published recipe, with all its constants."""

from .byol_a_mel import ByolAMel as ByolAMel
from .efficientat_mel import EfficientatMel as EfficientatMel
from .kaldi_fbank import KaldiFbank as KaldiFbank
from .panns_mel import PannsMel as PannsMel
from .yamnet_mel import YamnetMel as YamnetMel
