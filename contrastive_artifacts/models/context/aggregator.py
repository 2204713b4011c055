"""The context module: patch vectors of a window of up to a minute -> h and the same heads as an encoder."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from ...core import files
from ...core.errors import FingerprintError, ParameterError, StorageError, WeightsError
from ...core.lock import locked
from ...core.records import described_by
from ...core.typed import settings as checked_settings
from ..backbones import vit
from ..encoder import load_tensors
from ..encoder_files import CONTEXT_RECORD, CONTEXT_TENSORS
from ..fingerprint import fingerprint_of
from ..heads import Encoded, Heads
from ..slow import VERSION as SLOW_VERSION
from .stretches import Stretch, collate

FORMAT = 1
BATCH = 64
KINDS = ("mean", "attention", "recurrent")
WIDEST, MOST_INPUTS, LONGEST_S, SHORTEST_HOP_S = 8192, 1 << 16, 3600.0, 1e-3  # so that an altered file takes no memory
WAVES = 32  # number of sines, and of cosines, of the position bias
STD_FLOOR = 1e-3  # lowest standard deviation of an input, for inputs that do not vary in training


@dataclass(frozen=True)
class ContextSettings:
    """What defines a context module.

    Args:
        kind: "mean": no exchange between patches. "attention": pre-norm transformer layers with a learned attention
            bias that depends on the lag in seconds. "recurrent": a bidirectional GRU.
        states: Labels of the type head, ``"clean"`` first.
        inputs: Width of a patch vector.
        hop_s: Seconds from patch to patch.
        max_s: Longest input in seconds.
        slow: Number of slow figures (:mod:`..slow`) in the input; 0: it has none.
        width: Width of a patch inside the module, a multiple of ``2 * heads``.
        depth: Number of layers; not used by "mean".
        heads: Number of attention heads.
        hidden: Width of h.
        embedding: Width of z.
        dropout: Dropout probability of the patch features in training, [0, 1).

    Raises:
        ParameterError: a value is out of range.
    """

    kind: str
    states: tuple[str, ...]
    inputs: int
    hop_s: float = 0.48
    max_s: float = 60.0
    slow: int = 0
    width: int = 96
    depth: int = 2
    heads: int = 4
    hidden: int = 256
    embedding: int = 128
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ParameterError(f"kind is {self.kind!r}; choose one of {', '.join(KINDS)}.")
        sizes = (self.width, self.depth, self.heads, self.hidden, self.embedding, self.slow + 1)
        if not self.states or min(sizes) < 1 or max(sizes) > WIDEST or not 1 <= self.inputs <= MOST_INPUTS:
            raise ParameterError(
                f"A size lies outside [1, {WIDEST}] (inputs: {MOST_INPUTS}), or there are no states: {self}."
            )
        if not self.max_s <= LONGEST_S or not self.hop_s >= SHORTEST_HOP_S:
            raise ParameterError(f"max_s={self.max_s} must be at most {LONGEST_S}, hop_s={self.hop_s} at least 0.001.")
        if self.width % (2 * self.heads) or not 0 <= self.dropout < 1 or not 0 < self.hop_s <= self.max_s:
            raise ParameterError(
                f"width={self.width} must be a multiple of 2 * heads={self.heads}, dropout={self.dropout} lie in "
                f"[0, 1) and hop_s={self.hop_s} in (0, max_s={self.max_s}]."
            )

    @property
    def most(self) -> int:
        """Largest number of patches of an input."""
        return max(1, round(self.max_s / self.hop_s))


class Context(Heads):
    """``forward(patches [B, N, D], mask [B, N], slow [B, S]) -> Encoded``.

    ``mask`` is True for patches and False for padding; without a mask there is no padding. ``slow`` holds the slow
    figures of each window, or a row of NaN where they are unknown (as for a window that is too short); without ``slow``
    all are unknown. A module with ``settings.slow`` 0 ignores them.

    The three kinds differ only in the layers between the first layer, which is the same for each patch, and the pooling
    (masked mean and maximum over patches). Differences between their results come from the order of the patches.

    Raises:
        ParameterError: shapes that do not fit the settings, more than ``max_s`` of patches, or a row without patches.
    """

    shift: Tensor
    scale: Tensor
    slow_shift: Tensor
    slow_scale: Tensor

    def __init__(self, settings: ContextSettings) -> None:
        super().__init__()
        self.settings, width = settings, settings.width
        self.register_buffer("shift", torch.zeros(settings.inputs))
        self.register_buffer("scale", torch.ones(settings.inputs))
        self.patch = nn.Sequential(nn.Dropout(settings.dropout), nn.Linear(settings.inputs, width), nn.GELU())
        if settings.kind == "attention":
            self.mixer: nn.Module = vit.Transformer(settings.depth, width, settings.heads, 2 * width)
            self.lags = LagBias(settings.heads, settings.hop_s, settings.max_s)
        elif settings.kind == "recurrent":
            self.mixer = nn.GRU(width, width // 2, settings.depth, batch_first=True, bidirectional=True)
        self.norm = nn.LayerNorm(width)
        if settings.slow:
            self.register_buffer("slow_shift", torch.zeros(settings.slow))
            self.register_buffer("slow_scale", torch.ones(settings.slow))
            self.slow = nn.Sequential(nn.Dropout(settings.dropout), nn.Linear(settings.slow, width), nn.GELU())
        pooled = (3 if settings.slow else 2) * width
        self.neck = nn.Sequential(nn.Linear(pooled, settings.hidden), nn.GELU())
        self.add_heads(settings.hidden, settings.embedding, len(settings.states))

    def forward(self, patches: Tensor, mask: Tensor | None = None, slow: Tensor | None = None) -> Encoded:
        if patches.ndim != 3 or patches.shape[2] != self.settings.inputs or not patches.shape[1]:
            raise ParameterError(f"patches have shape {tuple(patches.shape)}; expected [B, N, {self.settings.inputs}].")
        if patches.shape[1] > self.settings.most:
            raise ParameterError(f"{patches.shape[1]} patches are longer than {self.settings.max_s} s; cut the input.")
        if mask is None:
            mask = torch.ones(patches.shape[:2], dtype=torch.bool, device=patches.device)
        if not mask.any(dim=1).all():
            raise ParameterError("A row of the mask has no patch; every row needs one.")
        x = self._mixed(self.patch(_standard(patches, self.shift, self.scale)), mask)
        x = self.norm(x)
        present = mask[..., None]
        mean = (x * present).sum(1) / present.sum(1)
        pooled = [mean, x.masked_fill(~present, -torch.inf).amax(1)]
        if self.settings.slow:
            pooled.append(self._slow(slow, len(patches)))
        return self.encoded(self.neck(torch.cat(pooled, dim=1)))

    def _mixed(self, x: Tensor, mask: Tensor) -> Tensor:
        if self.settings.kind == "attention":
            hidden = torch.zeros(mask.shape, device=x.device).masked_fill(~mask, -torch.inf)
            return self.mixer(x, self.lags(x.shape[1]) + hidden[:, None, None, :])
        if self.settings.kind == "recurrent":
            lengths = mask.sum(1).cpu()
            packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            mixed, _ = nn.utils.rnn.pad_packed_sequence(
                self.mixer(packed)[0], batch_first=True, total_length=x.shape[1]
            )
            return x + mixed  # a residual connection, as in the transformer
        return x

    def _slow(self, slow: Tensor | None, rows: int) -> Tensor:
        """Embedded slow figures ``[B, width]``; unknown ones are replaced by the mean of the training data."""
        if slow is None:
            slow = self.slow_shift.new_full((rows, self.settings.slow), torch.nan)
        if slow.shape != (rows, self.settings.slow):
            raise ParameterError(f"slow has shape {tuple(slow.shape)}; expected [{rows}, {self.settings.slow}].")
        return self.slow(_standard(slow, self.slow_shift, self.slow_scale).nan_to_num(0.0))

    def standardise(self, patches: Tensor, slow: Tensor | None = None) -> None:
        """Sets mean and standard deviation of the inputs from training data: patches ``[N, D]``, slow ``[M, S]``."""
        with torch.no_grad():
            self.shift.copy_(patches.float().mean(0))
            self.scale.copy_(patches.float().std(0, unbiased=False).clamp(min=STD_FLOOR))
            known = slow[~slow.isnan().any(1)].float() if slow is not None else torch.zeros(0)
            if self.settings.slow and len(known):
                self.slow_shift.copy_(known.mean(0))
                self.slow_scale.copy_(known.std(0, unbiased=False).clamp(min=STD_FLOOR))

    def fingerprint(self, patches: str) -> str:
        """Hash over weights, settings and ``patches``, the fingerprint of the patches that the module is used with."""
        return fingerprint_of([patches, asdict(self.settings)], self)

    def save(self, directory: str | Path, fingerprint: str) -> None:
        """Writes ``context.safetensors`` and ``context.json``; ``fingerprint`` is the one of its patches.

        Raises:
            StorageError: another process is writing the folder, or it cannot be written.
        """
        directory = Path(directory)
        record = {"format": FORMAT, "settings": asdict(self.settings), "patches": fingerprint, "slow": SLOW_VERSION}
        with locked(directory, "saving a context module"):
            with files.atomic_path(directory / CONTEXT_TENSORS) as temporary:
                save_file(self.state_dict(), temporary)
            files.write_json(directory / CONTEXT_RECORD, record)

    @classmethod
    def load(cls, directory: str | Path, fingerprint: str) -> Context:
        """The module in evaluation mode.

        Args:
            directory: Folder with ``context.safetensors`` and ``context.json``.
            fingerprint: Of the patches that the module will be used with.

        Raises:
            StorageError: the folder holds no context module, or one of another format.
            FingerprintError: the module was trained on other patches, or on another version of the slow figures.
            WeightsError: its tensors are damaged, or their names or shapes do not match in full.
        """
        directory = Path(directory)
        path = directory / CONTEXT_RECORD
        record = files.read_json(path)
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            raise StorageError(f"{path} is no context module of format {FORMAT}; train it again.")
        if record.get("patches") != fingerprint:
            raise FingerprintError(
                f"{directory} was trained on patches of {record.get('patches')!r}, not {fingerprint}; "
                "use its own encoder and patch settings, or train it again."
            )
        with described_by(path, "a context module", "train it again"):
            settings = checked_settings(ContextSettings, record["settings"], "settings")
            context = cls(settings)
        if settings.slow and record.get("slow") != SLOW_VERSION:
            raise FingerprintError(
                f"{directory} was trained on slow figures of version {record.get('slow')}, not {SLOW_VERSION}; "
                "train it again."
            )
        try:
            context.load_state_dict(load_tensors(directory / CONTEXT_TENSORS))
        except RuntimeError as error:
            raise WeightsError(f"{directory}: weights do not fit context.json ({error}).") from error
        return context.eval()


def _standard(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Standardised, and limited to 8 standard deviations."""
    return ((x.float() - shift) / scale).clamp(-8, 8)


def encode(context: Context, stretches: Sequence[Stretch]) -> Encoded:
    """Output of a module for M >= 1 stretches of any lengths, computed in batches, without gradient."""
    batches = []
    with torch.inference_mode():
        for start in range(0, len(stretches), BATCH):
            batches.append(context(*collate(stretches[start : start + BATCH])))
    return Encoded(*(torch.cat(parts) for parts in zip(*(encoded[:4] for encoded in batches), strict=True)))


class LagBias(nn.Module):
    """Attention bias ``[H, N, N]``: for each head, a learned function of the signed lag between two patches.

    The function is a sum of sines and cosines with periods from two hops to twice the longest input. It does not depend
    on the position in the window.

    Args:
        heads: H.
        hop_s: Seconds from patch to patch.
        max_s: Longest input in seconds.
    """

    waves: Tensor

    def __init__(self, heads: int, hop_s: float, max_s: float) -> None:
        super().__init__()
        lag = torch.arange(-(round(max_s / hop_s) - 1), round(max_s / hop_s)) * hop_s
        periods = 2 * hop_s * (max_s / hop_s) ** torch.linspace(0, 1, WAVES)
        angle = 2 * math.pi * lag[:, None] / periods
        self.register_buffer("waves", torch.cat([angle.sin(), angle.cos()], dim=1), persistent=False)
        self.weight = nn.Parameter(torch.randn(2 * WAVES, heads) * (0.5 / math.sqrt(WAVES)))

    def forward(self, count: int) -> Tensor:
        """The bias for ``count`` patches."""
        bias = self.waves @ self.weight  # [2 M - 1, H], lag 0 in the middle
        place = torch.arange(count, device=bias.device)
        return bias[place[None] - place[:, None] + len(bias) // 2].permute(2, 0, 1)


@contextmanager
def recorded_attention(context: Context) -> Iterator[dict[str, list[Tensor]]]:
    """Records the attention maps ``[B, H, N, N]`` of each layer and forward pass inside the ``with`` block."""
    with vit.recorded_attention(context.mixer) as maps:
        yield maps


def attention_distance(maps: Tensor, seconds: Tensor) -> Tensor:
    """Attention distance of each head ``[H]``: |time of key - time of query| in seconds, weighted by attention.

    Args:
        maps: ``[B, H, L, L]`` (query, key); each row adds up to 1.
        seconds: ``[L]``, the time of each token.
    """
    distance = (seconds[None] - seconds[:, None]).abs()
    return (maps * distance).sum(3).mean((0, 2))
