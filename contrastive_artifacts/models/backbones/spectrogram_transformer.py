"""AST, the audio spectrogram transformer: a DeiT over overlapping patches of one log-mel spectrogram.

Architecture: YuanGongND/ast (BSD-3-Clause), arXiv 2104.01778; weights from Hugging Face (MIT/ast-*).
"""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from ...core.errors import ParameterError
from ..frontends import kaldi_fbank
from . import spectrogram_transformer_convert
from .contract import Backbone, Features
from .distilled_vit import PATCH, DistilledViT
from .spec import Checkpoint, Source
from .windowed import in_windows

CLASSES = 527
DIM, HEADS, DEPTH = 768, 12, 12
LENGTH = 1024  # spectrogram frames of 10.24 s
STRIDE = 10
BANDS = 128
EPS = 1e-12
MEAN, DEVIATION = -4.2677393, 4.5689974  # statistics of the log-mel of AudioSet
COMMANDS_LENGTH = 128  # for Speech Commands
COMMANDS_MEAN, COMMANDS_DEVIATION = -6.845978, 5.5654526


class AST(Backbone):
    """Frames are the patch tokens of one position in time, averaged over frequency; each depends on its whole window.

    The published extractor pads the log-mel of short input with zeros before normalisation, which has the effect of a
    loud noise. Here short input is not padded and uses the first position embeddings in time. Input of the published
    length gives the published vectors; longer input is cut into windows. The summary is the published
    embedding, the mean of the class and the distillation token.

    Args:
        length: Published input length in spectrogram frames of 10 ms.
        stride: Of the patches, in bands and in frames.
        mean, deviation: Statistics of the log-mel of the training data, see :class:`.KaldiFbank`.
        depth, dim, heads: Sizes of the transformer.
    """

    sample_rate = kaldi_fbank.SAMPLE_RATE
    bands = BANDS
    window_s = PATCH * kaldi_fbank.HOP / sample_rate
    offset_s = (kaldi_fbank.WINDOW - kaldi_fbank.HOP) / 2 / sample_rate
    min_samples = (PATCH - 1) * kaldi_fbank.HOP + kaldi_fbank.WINDOW

    def __init__(
        self,
        length: int = LENGTH,
        stride: int = STRIDE,
        mean: float = MEAN,
        deviation: float = DEVIATION,
        depth: int = DEPTH,
        dim: int = DIM,
        heads: int = HEADS,
    ) -> None:
        super().__init__()
        if length < PATCH or not 0 < stride <= PATCH:
            raise ParameterError(f"length={length} must be at least {PATCH}, stride={stride} between 1 and {PATCH}.")
        self.dim, self.length, self.stride = dim, length, stride
        self.hop_s = stride * kaldi_fbank.HOP / self.sample_rate
        self.frontend = kaldi_fbank.KaldiFbank(mean, deviation, "hanning", bands=BANDS)
        grid = (_rows(stride), (length - PATCH) // stride + 1)
        self.network = DistilledViT((grid,), stride, depth, dim, heads, EPS)

    def forward(self, waveform: Tensor) -> Features:
        spectrogram = self.frontend(self.padded(waveform))  # [B, 128, F]
        frames, summary = in_windows(self.network, spectrogram, self.length, PATCH, self.stride)
        return Features(frames, self.hop_s, spectrogram, summary)

    def layer_groups(self) -> list[nn.Module]:
        return self.network.layer_groups()


def _rows(stride: int) -> int:
    return (BANDS - PATCH) // stride + 1


def head() -> nn.Module:
    """The published AudioSet classifier on top of the summary (logits)."""
    return nn.Sequential(nn.LayerNorm(DIM, eps=EPS), nn.Linear(DIM, CLASSES))


def _checkpoint(name: str, model: str, stride: int, score: float) -> Checkpoint:
    """An AudioSet checkpoint; ``model`` as in MIT/ast-finetuned-<model>."""
    return Checkpoint(
        name=name,
        build=AST,
        head=head,
        options={"length": LENGTH, "stride": stride, "mean": MEAN, "deviation": DEVIATION},
        sources=(_source(model, stride),),
        licence="BSD-3-Clause",
        code_licence="BSD-3-Clause",
        origin=f"Yuan Gong et al., YuanGongND/ast, as huggingface.co/MIT/ast-finetuned-{model}",
        paper="https://arxiv.org/abs/2104.01778",
        # The published number is for stride 10; larger strides have fewer positions.
        published={"parameters": 86.6e6, "map": score} if stride == STRIDE else {"map": score},
    )


def _source(model: str, stride: int) -> Source:
    # All models have the same file name on the hub, so the file in the cache is named after the model.
    read = partial(spectrogram_transformer_convert.convert, rows=_rows(stride))
    url = f"https://huggingface.co/MIT/ast-finetuned-{model}/resolve/main/model.safetensors"
    return Source(f"ast-finetuned-{model}.safetensors", url, None, None, read)


CHECKPOINTS = (
    _checkpoint("ast", "audioset-10-10-0.4593", 10, 0.4593),
    _checkpoint("ast_10_10_450", "audioset-10-10-0.450", 10, 0.4495),
    _checkpoint("ast_10_10_448", "audioset-10-10-0.448", 10, 0.4483),
    _checkpoint("ast_10_10_448_v2", "audioset-10-10-0.448-v2", 10, 0.4475),
    _checkpoint("ast_12_12_447", "audioset-12-12-0.447", 12, 0.4467),
    _checkpoint("ast_14_14_443", "audioset-14-14-0.443", 14, 0.4431),
    _checkpoint("ast_16_16_442", "audioset-16-16-0.442", 16, 0.4422),
    Checkpoint(
        name="ast_speech_commands",
        build=AST,
        options={"length": COMMANDS_LENGTH, "stride": STRIDE, "mean": COMMANDS_MEAN, "deviation": COMMANDS_DEVIATION},
        sources=(_source("speech-commands-v2", STRIDE),),
        licence="BSD-3-Clause",
        code_licence="BSD-3-Clause",
        origin="Yuan Gong et al., YuanGongND/ast, as huggingface.co/MIT/ast-finetuned-speech-commands-v2",
        paper="https://arxiv.org/abs/2104.01778",
        published={"accuracy": 0.9812},
    ),
)
