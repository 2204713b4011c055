"""M2D, Masked Modeling Duo: a vision transformer over patches of a log-mel, trained to predict masked patches.

Architecture: arXiv 2210.14648 and arXiv 2404.06095: the encoder of a masked autoencoder (arXiv 2111.06377), a ViT-Base
with a class token and sinusoidal positions over patches without overlap. The published code was not used, as its
licence allows only evaluation; sizes and tensor names are from its README and from other users of the weights, so the
agreement with the published encoder is not verified.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from ...core.errors import ParameterError
from ..frontends import m2d_mel
from . import m2d_convert
from .atst import RELEASE, STRONG_CLASSES
from .contract import Backbone, Features
from .m2d_convert import PATCH, ROWS
from .spec import Checkpoint, Source
from .vit import Transformer
from .windowed import in_windows

DIM, HEADS, DEPTH = 768, 12, 12
LENGTH = 608  # spectrogram frames of the general models; those fine-tuned on AudioSet have 992 (of 1001)
EPS = 1e-6
WAVELENGTH = 1e4  # of the longest sinusoid, in patches / 2 pi


class M2DNetwork(nn.Module):
    """``[B, 80, F]`` -> ``[B, N, 5 * D]``, the five tokens of each position in time from low to high; no summary."""

    positions: Tensor

    def __init__(self, length: int, width: int, depth: int, dim: int, heads: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, dim, (PATCH, width), (PATCH, width))
        self.token = nn.Parameter(torch.empty(1, 1, dim))
        self.transformer = Transformer(depth, dim, heads, eps=EPS)
        self.norm = nn.LayerNorm(dim, eps=EPS)
        self.register_buffer("positions", sinusoids(ROWS, length // width, dim))
        nn.init.trunc_normal_(self.token, std=0.02)

    def forward(self, spectrogram: Tensor) -> tuple[Tensor, None]:
        grid = self.patches(spectrogram.unsqueeze(1))  # [B, D, 5, N]
        grid = grid + self.positions[..., : grid.shape[-1]]
        x = torch.cat([self.token.expand(len(grid), -1, -1), grid.flatten(2).transpose(1, 2)], dim=1)
        tokens = self.norm(self.transformer(x)).float()[:, 1:].unflatten(1, grid.shape[2:])  # [B, 5, N, D]
        return tokens.transpose(1, 2).flatten(2), None


def sinusoids(rows: int, columns: int, dim: int) -> Tensor:
    """Positions ``[1, dim, rows, columns]``: one half of the dimensions for the row, the other for the column.

    Sines of geometrically growing wavelengths, then their cosines (arXiv 1706.03762). Published files contain them.
    """
    quarter = dim // 4
    rates = WAVELENGTH ** -(torch.arange(quarter) / quarter)
    row, column = (rates[:, None] * torch.arange(count) for count in (rows, columns))
    halves = (
        torch.cat([row.sin(), row.cos()])[:, :, None].expand(-1, -1, columns),
        torch.cat([column.sin(), column.cos()])[:, None].expand(-1, rows, -1),
    )
    return torch.cat(halves)[None].contiguous()


class M2D(Backbone):
    """Frames are the five patch tokens of one position in time, concatenated as published.

    Each frame depends on its whole window. Input shorter than the published length uses the first positions in time;
    longer input is cut into windows. A last patch that is not full is dropped (published: padded). There is no summary:
    the published vector of a clip is the mean frame.

    Args:
        length: Published input length in spectrogram frames of 10 ms, a multiple of ``width``.
        width: Width of a patch in spectrogram frames: 16 or 4.
        mean, std: Statistics of the log-mel of the training data; see :class:`.M2dMel`.
        depth, dim, heads: Sizes of the transformer.
    """

    sample_rate = m2d_mel.SAMPLE_RATE
    bands = m2d_mel.BANDS
    offset_s = -m2d_mel.HOP / 2 / sample_rate

    def __init__(
        self,
        length: int = LENGTH,
        width: int = PATCH,
        mean: float = m2d_mel.MEAN,
        std: float = m2d_mel.STD,
        depth: int = DEPTH,
        dim: int = DIM,
        heads: int = HEADS,
    ) -> None:
        super().__init__()
        if not 2 <= width <= length or length % width:
            raise ParameterError(f"length={length} must be a multiple of width={width}, and width at least 2.")
        if dim % 4:
            raise ParameterError(f"dim={dim} must be a multiple of 4, for sines and cosines along two axes.")
        self.dim, self.length, self.width = ROWS * dim, length, width
        self.min_samples = width * m2d_mel.HOP
        self.hop_s = self.window_s = self.min_samples / self.sample_rate
        self.frontend = m2d_mel.M2dMel(mean, std)
        self.network = M2DNetwork(length, width, depth, dim, heads)

    def forward(self, waveform: Tensor) -> Features:
        spectrogram = self.frontend(self.padded(waveform))  # [B, 80, F]
        frames, summary = in_windows(self.network, spectrogram, self.length, self.width)
        return Features(frames, self.hop_s, spectrogram, summary)

    def layer_groups(self) -> list[nn.Module]:
        net = self.network
        *blocks, last = net.transformer.blocks
        return [nn.ModuleList([net.patches, nn.ParameterList([net.token])]), *blocks, nn.ModuleList([last, net.norm])]


REPOSITORY = "https://github.com/nttcslab/m2d/"
TERMS = f"{REPOSITORY}blob/master/LICENSE.pdf"
LICENCE = "LicenseRef-NTT-evaluation"
AUDIOSET_LENGTH = 992


def _checkpoint(
    name: str,
    folder: str,
    filename: str | None = None,
    release: str = "v0.1.0",
    length: int = LENGTH,
    width: int = PATCH,
    **published: float,
) -> Checkpoint:
    """The record of a file in the published archive ``folder``.zip; its default name is that of the archive."""
    url = f"{REPOSITORY}releases/download/{release}/{folder}.zip"
    return Checkpoint(
        name=name,
        build=M2D,
        options={"length": length, "width": width},
        sources=(Source(filename or f"{folder}.pth", url, None, None, m2d_convert.convert, terms=TERMS),),
        licence=LICENCE,
        code_licence=LICENCE,
        origin="Daisuke Niizumi et al. (NTT), nttcslab/m2d",
        paper="https://arxiv.org/abs/2404.06095",
        published=published,
    )


_fine_tuned = partial(_checkpoint, release="v0.3.0", length=AUDIOSET_LENGTH, parameters=86e6)
_STRONG = "M2D_strong_1.pt"
CHECKPOINTS = (
    _checkpoint("m2d", "m2d_vit_base-80x608p16x16-221006-mr7_enconly", parameters=86e6),
    _checkpoint("m2d_40ms", "m2d_vit_base-80x200p16x4-230529", length=200, width=4),
    _fine_tuned(
        *("m2d_as", "m2d_as_vit_base-80x1001p16x16-240213_AS-FT_enconly", "weights_ep69it3124-0.48494.pth"), map=0.485
    ),
    _fine_tuned(
        *("m2d_clap", "m2d_clap_vit_base-80x1001p16x16-240128_AS-FT_enconly", "weights_ep67it3124-0.48558.pth"),
        map=0.485,
    ),
    _fine_tuned(
        *("m2d_mr7_as", "m2d_vit_base-80x1001p16x16-221006-mr7_as_46ab246d", "weights_ep69it3124-0.47929.pth"),
        map=0.479,
    ),
    Checkpoint(
        name="m2d_strong",
        build=M2D,
        options={"length": AUDIOSET_LENGTH, "width": PATCH},
        sources=(Source(_STRONG, RELEASE + _STRONG, None, None, m2d_convert.convert_strong, terms=TERMS),),
        head=partial(nn.Linear, ROWS * DIM, STRONG_CLASSES),
        clip_head=False,
        licence=LICENCE,  # fine-tuned from m2d_clap
        code_licence=LICENCE,
        origin="Florian Schmid et al., fschmid56/PretrainedSED, from nttcslab/m2d",
        paper="https://arxiv.org/abs/2409.09546",
        published={"psds1": 0.463},
    ),
)
