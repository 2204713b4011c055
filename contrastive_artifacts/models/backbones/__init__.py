"""Backbones: published audio networks by name, with verified weights; waveform -> frames."""

from . import hub as hub
from .audioset import Tagger as Tagger
from .contract import Backbone as Backbone
from .contract import Features as Features
from .factory import BACKBONES as BACKBONES
from .factory import build as build
from .factory import create as create
from .factory import create_tagger as create_tagger
from .frozen import freeze as freeze
from .lora import plain_state as plain_state
from .spec import Checkpoint as Checkpoint
