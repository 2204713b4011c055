"""The encoder of label sets: figures of a window at its native rate -> h, and independent chances of all faults.

Three branches: the figures of the whole window; the frames of 16 ms, through dilated convolutions, which also tell in
which frames a fault is; and, where there is one, the pooled frames of a frozen published network. That network has a
thousand columns: a narrow projection keeps them from outweighing the figures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..core.errors import FingerprintError, ParameterError, StorageError
from ..core.records import described_by
from ..core.typed import settings as checked_settings
from . import backbones
from .detail import DetailFigures, NativeDetail
from .detail.figures import FRAME_S, deviation
from .encoder import LONGEST_WINDOW_S, WIDEST, load_tensors, load_whole, save_network
from .encoder_files import FORMAT, record_of, tensors_of
from .figures import FRAME_SIZES, VERSIONS, WINDOW_SIZES, Figures
from .fingerprint import fingerprint_of
from .heads import Encoded, Heads

DILATIONS = (1, 2, 4, 8, 16)
GROUPS, STRIDE, ATTENTION = 8, 2, 4  # of the normalisation; frames per cell; number of attention weights per cell
LARGEST = 8.0  # standard deviations that standardised figures are limited to
LEAST_DEVIATION = 1e-3
CONTRASTIVE = 2.0  # length of z in h, for 1 of the hidden layer: four fifths of the similarity of two h are that of z


@dataclass(frozen=True)
class FigureSettings:
    """What defines an encoder of label sets, besides the record of its backbone.

    Args:
        states: ``"clean"`` first, then the faults; each has a chance of its own, that of "clean" is that none is there.
        window_s: Length of the windows in seconds, in [1.5, 60].
        context_s: Length in seconds of the sound around a window whose slow figures it has, window_s to 60.
        figures: Width of the branch of the figures of the window.
        channels: Width of the convolutions over frames, a multiple of 8.
        backbone: Width of the branch of the backbone.
        hidden: Width of the hidden layer.
        embedding: Width of z; h is as wide as both.
        dropout: Dropout probability in training, [0, 1).

    Raises:
        ParameterError: a value is out of range.
    """

    states: tuple[str, ...]
    window_s: float = 5.0
    context_s: float = 10.0
    figures: int = 384
    channels: int = 64
    backbone: int = 64
    hidden: int = 256
    embedding: int = 128
    dropout: float = 0.3

    def __post_init__(self) -> None:
        if len(self.states) < 2 or not 1.5 <= self.window_s <= min(60, LONGEST_WINDOW_S):
            raise ParameterError(
                f"states={self.states} must name a fault, and window_s={self.window_s} lie in [1.5, 60]."
            )
        if not self.window_s <= self.context_s <= 60:
            raise ParameterError(
                f"context_s={self.context_s} must be at least window_s={self.window_s}, and at most 60."
            )
        sizes = (self.figures, self.channels, self.backbone, self.hidden, self.embedding)
        if not 1 <= min(sizes) <= max(sizes) <= WIDEST or self.channels % GROUPS:
            raise ParameterError(f"Widths must lie in [1, {WIDEST}] and channels be a multiple of {GROUPS}: {sizes}.")
        if not 0 <= self.dropout < 1:
            raise ParameterError(f"dropout must lie in [0, 1); got {self.dropout}.")


class FigureEncoder(Heads):
    """``forward(figures of B windows) -> Encoded``, whose frame logits are those of the faults, without "clean".

    The chances are ``logits.sigmoid()``. h is the hidden layer beside z, the vector of the contrastive term: neighbours
    in z hold the same faults more often and the same sound less often, the hidden layer also tells faults apart that
    have no label. h has a norm of sqrt(dim), so that the heads are linear in its direction, which the index stores. A
    cell of the frame logits is STRIDE frames long.

    Args:
        settings: Sizes.
        backbone: Frozen network whose pooled frames are among the figures, or None.
    """

    def __init__(self, settings: FigureSettings, backbone: backbones.Backbone | None = None) -> None:
        super().__init__()
        self.settings, faults = settings, len(settings.states) - 1
        window = NativeDetail.size + WINDOW_SIZES["slow"] + WINDOW_SIZES["traces"]
        frame = sum(FRAME_SIZES.values())
        for name, size in (
            ("window", window),
            ("frame", frame),
            ("pooled", 0 if backbone is None else 3 * backbone.dim),
        ):
            self.register_buffer(f"{name}_shift", torch.zeros(size))
            self.register_buffer(f"{name}_scale", torch.ones(size))
        width, drop = settings.channels, settings.dropout
        self.window = nn.Sequential(nn.Linear(window, settings.figures), nn.GELU(), nn.Dropout(drop))
        self.stem = nn.Conv1d(frame, width, 3, STRIDE, padding=1)
        self.layers = nn.ModuleList(nn.Conv1d(width, width, 3, padding=d, dilation=d) for d in DILATIONS)
        self.norms = nn.ModuleList(nn.GroupNorm(GROUPS, width) for _ in range(1 + len(DILATIONS)))
        self.attention = nn.Conv1d(width, ATTENTION, 1)
        self.of_window = nn.Linear(settings.figures, width)
        self.cells = nn.Conv1d(width, faults, 1)
        joined = settings.figures + (ATTENTION + 3) * width + 2 * faults
        if backbone is not None:
            joined += settings.backbone
            self.pooled = nn.Sequential(
                nn.Dropout(drop), nn.Linear(3 * backbone.dim, settings.backbone), nn.GELU(), nn.Dropout(drop)
            )
        self.neck = nn.Sequential(nn.Linear(joined, settings.hidden), nn.GELU(), nn.Dropout(drop))
        self.add_heads(settings.hidden, settings.embedding, len(settings.states), self.dim)
        self.backbone = None if backbone is None else backbone.requires_grad_(False)

    @property
    def dim(self) -> int:
        """Width of h."""
        return self.settings.hidden + self.settings.embedding

    @property
    def cell_s(self) -> float:
        """Seconds from one cell of the frame logits to the next."""
        return STRIDE * FRAME_S

    def forward(self, figures: Figures[Tensor]) -> Encoded:
        of_window = self.window(self._standard("window", self.window_vector(figures)))
        cells = self._cells(figures)
        frame_logits = self.cells(cells + self.of_window(of_window)[:, :, None])
        weights = self.attention(cells).softmax(2)
        attended = torch.einsum("bkn,bcn->bkc", weights, cells).flatten(1)
        parts = [of_window, attended, cells.mean(2), cells.amax(2), deviation(cells, 2)]
        parts += [frame_logits.amax(2), frame_logits.mean(2)]
        if self.backbone is not None:
            parts.append(self.pooled(self._standard("pooled", figures.backbone)))
        hidden = F.normalize(self.neck(torch.cat(parts, dim=1)), dim=1)
        z = F.normalize(self.projector(hidden * math.sqrt(self.settings.hidden)), dim=1)
        h = torch.cat([hidden, CONTRASTIVE * z], dim=1) * math.sqrt(self.dim / (1 + CONTRASTIVE**2))
        return Encoded(h, z, self.types(h), self.severities(h).sigmoid(), frame_logits.transpose(1, 2))

    def contrastive(self, h: Tensor) -> Tensor:
        """z ``[..., embedding]``, L2-normalised, in h or means of it ``[..., dim]``."""
        return F.normalize(h[..., self.settings.hidden :], dim=-1)

    def _cells(self, figures: Figures[Tensor]) -> Tensor:
        """``[B, channels, cells]``."""
        frames = self._standard("frame", torch.cat([figures.frames, figures.bands], dim=2))
        x = F.gelu(self.norms[0](self.stem(frames.transpose(1, 2))))
        for layer, norm in zip(self.layers, list(self.norms)[1:], strict=True):
            x = x + F.gelu(norm(layer(x)))
        return x

    def _standard(self, name: str, x: Tensor) -> Tensor:
        shift, scale = self.get_buffer(f"{name}_shift"), self.get_buffer(f"{name}_scale")
        return ((x - shift) / scale).clamp(-LARGEST, LARGEST)

    @staticmethod
    def window_vector(figures: Figures[Tensor]) -> Tensor:
        """The figures of the window, and statistics of its frames: ``[B, W]``."""
        detail = NativeDetail.pooled(DetailFigures(figures.frames, figures.window))
        return torch.cat([detail, figures.slow, figures.traces], dim=1)

    def standardise(self, batches: Iterable[Figures[Tensor]]) -> None:
        """Sets mean and standard deviation of all figures from training data."""
        rows: dict[str, list[Tensor]] = {"window": [], "frame": [], "pooled": []}
        for figures in batches:
            rows["window"].append(self.window_vector(figures))
            rows["frame"].append(torch.cat([figures.frames, figures.bands], dim=2)[:, ::8].flatten(0, 1))
            rows["pooled"].append(figures.backbone)
        if self.backbone is None:
            del rows["pooled"]
        for name, parts in rows.items():
            values = torch.cat(parts)
            self.get_buffer(f"{name}_shift").copy_(values.mean(0))
            self.get_buffer(f"{name}_scale").copy_(values.std(0, unbiased=False).clamp(min=LEAST_DEVIATION))

    @property
    def is_standardised(self) -> bool:
        """Whether means and deviations of the figures are set."""
        return bool(self.get_buffer("frame_shift").any())

    def start_from(self, other: FigureEncoder) -> None:
        """Takes the trained weights of another encoder, and its means and deviations of the figures.

        Raises:
            ParameterError: it has other states, sizes, windows or another backbone. Its contexts may be of any length.
        """
        theirs, ours = ({**asdict(e.settings), "backbone network": _name(e.backbone)} for e in (other, self))
        fixed = theirs.keys() - {"context_s", "dropout"}
        changes = [f"{name}: {theirs[name]}, here {ours[name]}" for name in sorted(fixed) if theirs[name] != ours[name]]
        if changes:
            raise ParameterError(
                "A training starts from an encoder of the same states, sizes and backbone; this one differs. "
                + "; ".join(changes)
            )
        frozen = {name: value for name, value in self.state_dict().items() if name.startswith("backbone.")}
        self.load_state_dict({**other.state_dict(), **frozen})

    def trained_parameters(self) -> list[nn.Parameter]:
        """All parameters but those of the backbone."""
        return [p for name, p in self.named_parameters() if not name.startswith("backbone.")]

    def save(self, directory: str | Path, half: bool = False) -> None:
        """Writes ``encoder.safetensors`` and ``encoder.json``; ``half`` stores float16 (loaded as float32).

        Raises:
            StorageError: another process is writing the folder, or it cannot be written.
        """
        save_network(directory, self, self._about(), half)

    @classmethod
    def load(cls, directory: str | Path) -> FigureEncoder:
        """The encoder in evaluation mode.

        Raises:
            StorageError: the folder holds no encoder of label sets.
            FingerprintError: it was trained on another version of the figures.
            WeightsError: the tensors are damaged, or their names or shapes do not match in full.
        """
        path, record = record_of(directory)
        if not is_figure_record(record) or record.get("format") != FORMAT:
            raise StorageError(f"{path} is not an encoder of label sets of format {FORMAT}; train it again.")
        if record["figures"] != dict(VERSIONS):
            raise FingerprintError(
                f"{path} was trained on figures of the versions {record['figures']}, not {dict(VERSIONS)}; "
                "train it again."
            )
        with described_by(path, "an encoder", "train it again"):
            settings = checked_settings(FigureSettings, record["settings"], "settings")
            backbone = backbones.build(record["backbone"]) if record["backbone"] is not None else None
            encoder = cls(settings, backbone)
        load_whole(encoder, load_tensors(tensors_of(directory)), str(directory))
        return encoder.eval()

    def fingerprint(self) -> str:
        """Hash over weights, settings and versions of the figures; stored with all results of this encoder."""
        return fingerprint_of(self, self._about())

    def _about(self) -> dict[str, Any]:
        backbone = None if self.backbone is None else self.backbone.record
        return {"figures": dict(VERSIONS), "settings": asdict(self.settings), "backbone": backbone}


def _name(backbone: backbones.Backbone | None) -> str:
    record = {} if backbone is None else backbone.record
    return " ".join(str(record[key]) for key in ("backbone", "weights", "sha256") if key in record) or "none"


def is_figure_record(record: Any) -> bool:
    """Whether the content of an ``encoder.json`` describes an encoder of label sets."""
    return isinstance(record, dict) and isinstance(record.get("figures"), dict)
