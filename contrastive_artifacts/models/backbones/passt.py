"""PaSST: an audio transformer with separate embeddings of time and frequency, trained with dropped patches.

Architecture and weights: kkoutini/PaSST, models/passt.py (Apache-2.0); arXiv 2110.05069.
"""

from __future__ import annotations

from torch import Tensor, nn

from ...core.errors import ParameterError
from ..frontends import efficientat_mel
from . import passt_convert
from .contract import Backbone, Features
from .distilled_vit import PATCH, DistilledViT
from .spec import Checkpoint, Source
from .windowed import in_windows

CLASSES = 527
DIM, HEADS, DEPTH = 768, 12, 12
LENGTH = 998  # spectrogram frames of 10 s
STRIDE = 10
EPS = 1e-6


class PaSST(Backbone):
    """Frames are the patch tokens of one position in time, averaged over frequency; each depends on its whole window.

    Input shorter than the published length uses the first position embeddings in time (the published training took
    random ones); longer input is cut into windows. The summary is the published embedding, the mean of class and
    distillation token.

    Args:
        length: Published input length in spectrogram frames.
        stride: Of the patches, in bands and in spectrogram frames.
        hop: Hop of the spectrogram in samples.
        depth, dim, heads: Sizes of the transformer.
        patchout_t, patchout_f: Number of patch columns and rows that are dropped at random in training (published: 40
            and 4 at stride 10), which saves time and regularises. With ``patchout_t`` there are gaps between frames.

    Raises:
        ParameterError: sizes that do not fit each other.
    """

    sample_rate = efficientat_mel.SAMPLE_RATE
    bands = efficientat_mel.BANDS

    def __init__(
        self,
        length: int = LENGTH,
        stride: int = STRIDE,
        hop: int = efficientat_mel.HOP,
        depth: int = DEPTH,
        dim: int = DIM,
        heads: int = HEADS,
        patchout_t: int = 0,
        patchout_f: int = 0,
    ) -> None:
        super().__init__()
        if length < PATCH or not 0 < stride <= PATCH:
            raise ParameterError(f"length={length} must be at least {PATCH}, stride={stride} between 1 and {PATCH}.")
        self.dim, self.length, self.stride = dim, length, stride
        self.hop_s = stride * hop / self.sample_rate
        self.window_s = PATCH * hop / self.sample_rate
        self.offset_s = -hop / 2 / self.sample_rate
        self.min_samples = (PATCH - 1) * hop + 2
        self.frontend = efficientat_mel.EfficientatMel(hop=hop)
        # As published: size / stride, which at stride 12 is one position more than the number of columns.
        positions = ((self.bands // stride, 1), (1, length // stride))
        rows = (self.bands - PATCH) // stride + 1
        if positions[0][0] != rows:
            raise ParameterError(f"stride={stride} gives {rows} rows of patches for {positions[0][0]} positions.")
        self.network = DistilledViT(positions, stride, depth, dim, heads, EPS, patchout_t, patchout_f)

    def forward(self, waveform: Tensor) -> Features:
        spectrogram = self.frontend(self.padded(waveform))  # [B, 128, F]
        frames, summary = in_windows(self.network, spectrogram, self.length, PATCH, self.stride)
        return Features(frames, self.hop_s, spectrogram, summary)

    def layer_groups(self) -> list[nn.Module]:
        return self.network.layer_groups()


def head() -> nn.Module:
    """The published AudioSet classifier on top of the summary (logits)."""
    return nn.Sequential(nn.LayerNorm(DIM), nn.Linear(DIM, CLASSES))


RELEASES = "https://github.com/kkoutini/PaSST/releases/download/"


def _checkpoint(
    name: str,
    release: str,
    model: str,
    score: float,
    stride: int = STRIDE,
    length: int = LENGTH,
    hop: int = efficientat_mel.HOP,
    depth: int = DEPTH,
) -> Checkpoint:
    """The record of ``passt-<model>.pt`` of a release; ``name`` is the one in the published code."""
    filename = f"passt-{model}.pt"
    return Checkpoint(
        name=name,
        build=PaSST,
        head=head,
        options={"length": length, "stride": stride, "hop": hop, "depth": depth},
        sources=(Source(filename, f"{RELEASES}{release}/{filename}", None, None, passt_convert.convert),),
        licence="Apache-2.0",
        code_licence="Apache-2.0",
        origin="Khaled Koutini et al., kkoutini/PaSST",
        paper="https://arxiv.org/abs/2110.05069",
        published={"map": score, "parameters": 86e6} if depth == DEPTH else {"map": score},
    )


_AUDIOSET_2 = "v0.0.2-audioset"
CHECKPOINTS = (
    _checkpoint("passt_s_kd_p16_128_ap486", "v.0.0.9", "s-kd-ap.486", 0.486),  # default of the published code
    _checkpoint("passt_s_swa_p16_128_ap476", "v0.0.1-audioset", "s-f128-p16-s10-ap.476-swa", 0.476),
    _checkpoint("passt_s_swa_p16_128_ap4761", _AUDIOSET_2, "s-f128-p16-s10-ap.4761-swa", 0.4761),
    _checkpoint("passt_s_p16_128_ap472", _AUDIOSET_2, "s-f128-p16-s10-ap.472", 0.472),
    _checkpoint("passt_s_swa_p16_s12_128_ap473", _AUDIOSET_2, "s-f128-p16-s12-ap.473-swa", 0.473, stride=12),
    _checkpoint("passt_s_p16_s12_128_ap470", _AUDIOSET_2, "s-f128-p16-s12-ap.470", 0.470, stride=12),
    _checkpoint("passt_s_swa_p16_s14_128_ap471", _AUDIOSET_2, "s-f128-p16-s14-ap.471-swa", 0.471, stride=14),
    _checkpoint("passt_s_p16_s14_128_ap469", _AUDIOSET_2, "s-f128-p16-s14-ap.469", 0.469, stride=14),
    _checkpoint("passt_s_swa_p16_s16_128_ap473", _AUDIOSET_2, "s-f128-p16-s16-ap.473-swa", 0.473, stride=16),
    _checkpoint("passt_s_p16_s16_128_ap468", _AUDIOSET_2, "s-f128-p16-s16-ap.468", 0.468, stride=16),
    _checkpoint("passt_s_f128_20sec_p16_s10_ap474", "v0.0.5", "s-f128-20sec-p16-s10-ap.474-swa", 0.474, length=2000),
    _checkpoint("passt_s_f128_30sec_p16_s10_ap473", "v0.0.5", "s-f128-30sec-p16-s10-ap.473-swa", 0.473, length=3000),
    _checkpoint(
        *(
            "passt_s_swa_f128_stfthop100_p16_s10_ap473",
            "v0.0.3-audioset",
            "s-f128-stfthop100-p16-s10-ap.473-swa",
            0.473,
        ),
        length=3200,
        hop=100,
    ),
    _checkpoint(
        *(
            "passt_s_swa_f128_stfthop160_p16_s10_ap473",
            "v0.0.3-audioset",
            "s-f128-stfthop160-p16-s10-ap.473-swa",
            0.473,
        ),
        length=2000,
        hop=160,
    ),
    _checkpoint("passt_l_kd_p16_128_ap47", "v.0.0.10", "l-kd-ap.47", 0.47, depth=7),
)
