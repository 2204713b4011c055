"""BEATs: an audio transformer, pre-trained on the discrete labels of a tokenizer from the previous iteration.

Architecture: microsoft/unilm, beats/BEATs.py and backbone.py (MIT); arXiv 2212.09058.
"""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...core.errors import ParameterError
from ..frontends import kaldi_fbank
from . import beats_convert
from .contract import Backbone, Features
from .spec import Checkpoint, Source
from .vit import Transformer
from .windowed import in_windows

CLASSES = 527
BANDS = 128
PATCH = 16  # size of a patch in spectrogram bands and frames, and distance of patches
ROWS = BANDS // PATCH
LENGTH = 998  # spectrogram frames of 10 s
MEAN, DEVIATION = 15.41663, 6.55582  # statistics of the log-mel of 16-bit samples
GAIN = 2.0**15
KERNEL, GROUPS = 128, 16  # of the convolutional position embedding, in tokens
EPS = 1e-5


class RelativePositions(nn.Module):
    """A learned bias for each head and each bucket of distances between two tokens (arXiv 1910.10683).

    Half of the buckets are for keys after the query. In each half, the first half of the buckets holds one distance
    each; the others are spaced logarithmically up to ``distance`` tokens, and the last one holds all larger distances.

    Args:
        buckets: Number of buckets.
        distance: In tokens.
        heads: Number of attention heads.
    """

    def __init__(self, buckets: int, distance: int, heads: int) -> None:
        super().__init__()
        self.buckets, self.distance = buckets, distance
        self.bias = nn.Parameter(torch.empty(buckets, heads))
        nn.init.xavier_normal_(self.bias)

    def forward(self, tokens: int) -> Tensor:
        """``[H, tokens, tokens]`` (head, query, key)."""
        steps = torch.arange(1 - tokens, tokens, device=self.bias.device)
        by_step = self.bias[self.bucket(steps)].T  # [H, 2 * tokens - 1]
        place = torch.arange(tokens, device=self.bias.device)
        return by_step[:, place[None, :] - place[:, None] + tokens - 1]

    def bucket(self, steps: Tensor) -> Tensor:
        """Bucket of each signed distance (key minus query, int64)."""
        half = self.buckets // 2
        exact = half // 2
        far = steps.abs().clamp(min=1).float()
        spaced = exact + (torch.log(far / exact) / math.log(self.distance / exact) * (half - exact)).long()
        unsigned = torch.where(steps.abs() < exact, steps.abs(), spaced.clamp(max=half - 1))
        return unsigned + half * (steps > 0)


class BeatsNetwork(nn.Module):
    """``[B, 128, F]`` -> tokens averaged over frequency ``[B, N, D]``, and no summary; see :class:`BEATs`."""

    def __init__(
        self,
        depth: int,
        dim: int,
        heads: int,
        hidden: int,
        embed: int,
        buckets: int,
        distance: int,
        deep_norm: bool,
        gated: bool,
    ) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, embed, PATCH, PATCH, bias=False)
        self.patch_norm = nn.LayerNorm(embed, eps=EPS)
        self.project = nn.Linear(embed, dim)
        self.order = nn.Conv1d(dim, dim, KERNEL, padding=KERNEL // 2, groups=GROUPS)
        self.norm = nn.LayerNorm(dim, eps=EPS)
        self.positions = RelativePositions(buckets, distance, heads)
        residual = (2 * depth) ** 0.25 if deep_norm else 1.0
        self.transformer = Transformer(depth, dim, heads, hidden, "post", EPS, residual=residual, gated=gated)
        nn.init.normal_(self.order.weight, std=math.sqrt(4 / (KERNEL * dim)))

    def forward(self, spectrogram: Tensor) -> tuple[Tensor, None]:
        grid = self.patches(spectrogram.transpose(1, 2).unsqueeze(1))  # [B, E, columns, rows]
        x = self.project(self.patch_norm(grid.flatten(2).transpose(1, 2)))
        tokens = x.shape[1]
        x = x + F.gelu(self.order(x.transpose(1, 2))[..., :tokens]).transpose(1, 2)
        x = self.transformer(self.norm(x), self.positions(tokens))
        return x.unflatten(1, (-1, ROWS)).mean(2).float(), None


class BEATs(Backbone):
    """Frames are means over the 8 tokens of one position in time; each depends on its whole window.

    There is no class token and no summary: the published classifier is applied to each token and averaged. Longer
    input is cut into windows: the relative positions were not trained beyond 10 s, and the cost of the attention grows
    with the square of the length.

    Args:
        depth, dim, heads, hidden: Sizes of the transformer; ``hidden`` is the width inside the MLPs.
        embed: Width of a patch before the projection to ``dim``.
        buckets, distance: Of the relative positions, see :class:`RelativePositions`.
        deep_norm: Scale the skip connections by ``(2 * depth) ** 0.25``.
        gated: Scale the relative positions by a gate that depends on the query.

    Raises:
        ParameterError: sizes that do not fit each other.
    """

    sample_rate = kaldi_fbank.SAMPLE_RATE
    bands = BANDS
    hop_s = PATCH * kaldi_fbank.HOP / sample_rate
    window_s = hop_s
    offset_s = (kaldi_fbank.WINDOW - kaldi_fbank.HOP) / 2 / sample_rate
    min_samples = kaldi_fbank.WINDOW + (PATCH - 1) * kaldi_fbank.HOP

    def __init__(
        self,
        depth: int = 12,
        dim: int = 768,
        heads: int = 12,
        hidden: int = 3072,
        embed: int = 512,
        buckets: int = 320,
        distance: int = 800,
        deep_norm: bool = True,
        gated: bool = True,
    ) -> None:
        super().__init__()
        if dim % GROUPS or buckets % 4 or not 0 < buckets // 4 < distance:
            raise ParameterError(
                f"dim={dim} must be a multiple of {GROUPS} and buckets={buckets} of 4, with distance={distance} above "
                f"buckets / 4."
            )
        self.dim = dim
        self.frontend = kaldi_fbank.KaldiFbank(MEAN, DEVIATION, "povey", GAIN, BANDS)
        self.network = BeatsNetwork(depth, dim, heads, hidden, embed, buckets, distance, deep_norm, gated)

    def forward(self, waveform: Tensor) -> Features:
        spectrogram = self.frontend(self.padded(waveform))  # [B, 128, F]
        frames, summary = in_windows(self.network, spectrogram, LENGTH, PATCH)
        return Features(frames, self.hop_s, spectrogram, summary)

    def layer_groups(self) -> list[nn.Module]:
        net = self.network
        stem = nn.ModuleList([net.patches, net.patch_norm, net.project, net.order, net.norm, net.positions])
        return [stem, *net.transformer.blocks]


def head() -> nn.Module:
    """The fine-tuned classifier (logits); its classes are in the order of ``label_dict`` in the file."""
    return nn.Linear(768, CLASSES)


SED = "https://github.com/fschmid56/PretrainedSED/releases/download/v0.0.1/"
MIRROR = "https://huggingface.co/lpepino/beats_ckpts/resolve/main/"
SHARE = "https://1drv.ms/u/s!AqeByhGUtINrgcp"  # pages of the authors, for a browser; often not available


def _source(filename: str, url: str) -> Source:
    return Source(filename, url, None, None, beats_convert.convert)  # no digest yet


def _checkpoint(name: str, *sources: Source, tuned: bool = False, **published: float) -> Checkpoint:
    return Checkpoint(
        name=name,
        build=BEATs,
        sources=sources,
        head=head if tuned else None,
        licence="MIT",
        code_licence="MIT",
        origin="Sanyuan Chen et al., microsoft/unilm (beats)",
        paper="https://arxiv.org/abs/2212.09058",
        published=published,
    )


_TUNED = "_finetuned_on_AS2M_cpt"
_PLUS = "BEATs_iter3_plus_AS2M"
_tuned = partial(_checkpoint, tuned=True)
CHECKPOINTS = (  # "ssl" of fschmid56/PretrainedSED is iter3 and its "weak" iter3+, as its README links them
    _checkpoint(
        "beats_iter3",
        _source("BEATs_ssl.pt", SED + "BEATs_ssl.pt"),
        _source("BEATs_iter3.pt", SHARE + "xJUNDxg4eU0r-vA?e=qezPJ5"),
    ),
    _checkpoint(
        "beats_iter3_plus",
        _source(f"{_PLUS}.pt", f"{MIRROR}{_PLUS}.pt"),
        _source(f"{_PLUS}.pt", f"https://huggingface.co/datasets/Bencr/beats-checkpoints/resolve/main/{_PLUS}.pt"),
        _source("BEATs_weak.pt", SED + "BEATs_weak.pt"),
    ),
    _tuned(
        "beats_iter3_cpt1",
        _source(f"BEATs_iter3{_TUNED}1.pt", f"{MIRROR}BEATs_iter3{_TUNED}1.pt"),
    ),
    _tuned("beats_iter3_cpt2", _source(f"BEATs_iter3{_TUNED}2.pt", SHARE + "tb4S-CeJnlJGtZA?e=2FyDy3")),
    _tuned("beats_iter3_plus_cpt1", _source(f"{_PLUS}{_TUNED}1.pt", SHARE + "oZecQbiXeaUjN8A?e=DasbeC"), map=0.486),
    _tuned(
        "beats_iter3_plus_cpt2",
        _source(f"{_PLUS}{_TUNED}2.pt", f"https://huggingface.co/camenduru/beats/resolve/main/{_PLUS}{_TUNED}2.pt"),
    ),
    _checkpoint("beats_strong", _source("BEATs_strong_1.pt", SED + "BEATs_strong_1.pt"), psds1=0.465),
)
