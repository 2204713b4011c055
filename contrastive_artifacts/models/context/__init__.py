"""Context modules: networks over the patches of a long window, on top of an encoder of short windows."""

from .aggregator import KINDS as KINDS
from .aggregator import Context as Context
from .aggregator import ContextSettings as ContextSettings
from .aggregator import attention_distance as attention_distance
from .aggregator import encode as encode
from .aggregator import recorded_attention as recorded_attention
from .patches import PatchEncoder as PatchEncoder
from .patches import PatchSettings as PatchSettings
from .patches import PatchTable as PatchTable
from .stretches import Stretch as Stretch
from .stretches import collate as collate
from .stretches import slow_of as slow_of
