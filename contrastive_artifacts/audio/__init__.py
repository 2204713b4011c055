"""Audio input and output: numpy float32 ``[C, T]``, full scale 1.0, time as an integer sample index.

:mod:`.waveform` converts, resamples and writes waveforms, :mod:`.mixing` makes one channel of several, :mod:`.media`
reads files (:mod:`.decoding` chooses the decoder: :mod:`.sound_file`, or :mod:`.container`, whose frames :mod:`.clock`
places in time), :mod:`.level` measures levels, :mod:`.windows` cuts a signal into windows.
"""

from ..core.location import is_address as is_address
from ..core.location import location as location
from ..core.location import relative_name as relative_name
from .level import Loudness as Loudness
from .level import active_rms as active_rms
from .level import db_to_gain as db_to_gain
from .level import gain_to_db as gain_to_db
from .level import loudness as loudness
from .level import peak as peak
from .level import rms as rms
from .media import EXTENSIONS as EXTENSIONS
from .media import MAX_CHANNELS as MAX_CHANNELS
from .media import AudioInfo as AudioInfo
from .media import MediaFile as MediaFile
from .media import Stream as Stream
from .media import blocks as blocks
from .media import check_streams as check_streams
from .media import chosen as chosen
from .media import glimpse as glimpse
from .media import probe as probe
from .media import read as read
from .mixing import Mixture as Mixture
from .mixing import cancels as cancels
from .mixing import channel_or_mix as channel_or_mix
from .mixing import downmix as downmix
from .mixing import mono as mono
from .waveform import RATES as RATES
from .waveform import RESAMPLER as RESAMPLER
from .waveform import as_waveform as as_waveform
from .waveform import resample as resample
from .waveform import write as write
