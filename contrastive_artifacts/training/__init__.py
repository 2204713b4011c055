"""Training of encoders and context modules: settings, stages, step loop, checkpoints."""

from .loop import Pretraining as Pretraining
from .loop import Result as Result
from .settings import OptimSettings as OptimSettings
from .settings import TrainerSettings as TrainerSettings
from .stages import Stage as Stage
from .stages import StageViews as StageViews
