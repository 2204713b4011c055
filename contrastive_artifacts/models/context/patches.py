"""Patches: short windows of a long waveform, each encoded by itself by a trained encoder or a published backbone.

They are computed once and cached, so that a context module on them trains in minutes on one core.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from torch import Tensor

from ... import audio
from ...core import files
from ...core.errors import AudioError, FingerprintError, ParameterError, StorageError
from .. import backbones
from ..detail import DetailFigures, numpy_detail
from ..encoder import Encoder, pool, spectral_statistics
from ..fingerprint import fingerprint_of

FORMAT = "patches/2"
BATCH = 61  # patches per forward pass: 30 s at the default hop
PARTS = ("branches", "frames", "bands", "detail")


@dataclass(frozen=True)
class PatchSettings:
    """Length, hop and features of patches.

    Args:
        patch_s: Length in seconds, > 0; raised to the shortest input of the backbone if it is less.
        hop_s: Seconds from patch to patch, > 0.
        parts: Features in a patch vector, of ``PARTS``: "branches" (output of the encoder's three branches, before its
            neck), "frames" (mean of the backbone's frames), "bands" (mean log-mel of each band: level and spectrum,
            whose slow changes matter), "detail" (detail figures). Empty: all but "frames" for an encoder, only "frames"
            for a backbone.

    Raises:
        ParameterError: a value is out of range, or a part does not exist.
    """

    patch_s: float = 0.96
    hop_s: float = 0.48
    parts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if min(self.patch_s, self.hop_s) <= 0:
            raise ParameterError(f"patch_s and hop_s must be > 0; got {self.patch_s} and {self.hop_s}.")
        if unknown := sorted(set(self.parts) - set(PARTS)):
            raise ParameterError(f"There is no part {', '.join(unknown)}; choose from {', '.join(PARTS)}.")


class PatchEncoder:
    """Waveform -> one vector per patch, by a frozen copy of an encoder or of a backbone without heads.

    Attributes:
        window, hop: Length and hop of the patches, in samples at ``sample_rate``.
        widths: Part -> its width. A vector is the concatenation of the parts and ``dim`` wide.
        fingerprint: Hash over the network and the settings.

    Raises:
        ParameterError: the settings name parts that a backbone without heads does not have.
    """

    def __init__(self, model: Encoder | backbones.Backbone, settings: PatchSettings | None = None) -> None:
        settings = settings or PatchSettings()
        self.encoder = model if isinstance(model, Encoder) else None
        backbone = model.backbone if isinstance(model, Encoder) else model
        parts = settings.parts or (("branches", "bands", "detail") if self.encoder is not None else ("frames",))
        if self.encoder is None and (missing := {"branches", "detail"} & set(parts)):
            raise ParameterError(f"A backbone without heads has no {', '.join(sorted(missing))}; give an encoder.")
        self.settings = PatchSettings(settings.patch_s, settings.hop_s, parts)
        self.sample_rate = backbone.sample_rate
        self.window = max(round(settings.patch_s * self.sample_rate), backbone.min_samples)
        self.hop = max(1, round(settings.hop_s * self.sample_rate))
        widths = {"frames": backbone.dim, "bands": backbone.bands}
        if self.encoder is not None:
            widths |= {"branches": 3 * (self.encoder.settings.hidden // 2), "detail": self.encoder.detail.size}
        self.widths = {part: widths[part] for part in parts}
        self.dim = sum(self.widths.values())
        network = self.encoder.fingerprint() if self.encoder is not None else fingerprint_of(backbone.record, backbone)
        self.fingerprint = fingerprint_of([FORMAT, network, asdict(self.settings)])
        self._frozen = backbones.freeze(model)

    @property
    def hop_s(self) -> float:
        return self.hop / self.sample_rate

    def patches(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """Mono float32 ``[T]`` -> float32 ``[N, dim]``, N >= 1; patch n begins at ``n * hop_s`` seconds.

        Only whole patches are encoded; a waveform shorter than a patch gives one patch, padded with zeros.

        Raises:
            AudioError: the waveform is not mono or has no samples.
        """
        samples = -(-len(waveform) * self.sample_rate // sample_rate)
        count = 1 + max(0, samples - self.window) // self.hop
        return self.at(waveform, sample_rate, np.arange(count) * self.hop_s)

    def at(self, waveform: np.ndarray, sample_rate: int, starts_s: np.ndarray) -> np.ndarray:
        """The patches float32 ``[N, dim]`` that begin at ``starts_s`` [N]; zeros before and after the waveform.

        The detail figures of an encoder with ``settings.native`` are computed at ``sample_rate``.

        Raises:
            AudioError: the waveform is not mono or has no samples.
        """
        if waveform.ndim != 1 or not len(waveform):
            raise AudioError(f"Patches are cut from a mono waveform [T] that is not empty; got {waveform.shape}.")
        resampled = audio.resample(waveform, sample_rate, self.sample_rate)
        native = self.encoder is not None and self.encoder.settings.native and sample_rate != self.sample_rate
        out = [np.zeros((0, self.dim), np.float32)]
        for first in range(0, len(starts_s), BATCH):
            starts = starts_s[first : first + BATCH]
            windows = _cut(resampled, np.rint(starts * self.sample_rate).astype(int), self.window)
            detail = None
            if native:
                length = round(self.window * sample_rate / self.sample_rate)
                figures = numpy_detail(_cut(waveform, np.rint(starts * sample_rate).astype(int), length), sample_rate)
                detail = DetailFigures(*map(torch.from_numpy, figures))
            with torch.inference_mode():
                out.append(self._parts(torch.from_numpy(windows), detail).numpy())
        return np.concatenate(out)

    def part(self, vectors: np.ndarray, name: str) -> np.ndarray:
        """The columns ``[..., width]`` of part ``name`` of patch vectors ``[..., dim]``."""
        names = list(self.widths)
        start = sum(self.widths[n] for n in names[: names.index(name)])
        return vectors[..., start : start + self.widths[name]]

    def _parts(self, windows: Tensor, detail: DetailFigures[Tensor] | None) -> Tensor:
        frozen = self._frozen
        features = (frozen.backbone if isinstance(frozen, Encoder) else frozen)(windows)
        parts = {"frames": features.frames.mean(1), "bands": features.spectrogram.mean(2)}
        if isinstance(frozen, Encoder) and {"branches", "detail"} & self.widths.keys():
            parts["detail"] = frozen.detail.pooled(frozen.detail.figures(windows) if detail is None else detail)
            inner = (pool(features.frames), spectral_statistics(features.spectrogram), parts["detail"])
            parts["branches"] = torch.cat([b(x) for b, x in zip(frozen.branches, inner, strict=True)], dim=1)
        return torch.cat([parts[part] for part in self.widths], dim=1).float()


def _cut(x: np.ndarray, starts: np.ndarray, length: int) -> np.ndarray:
    """Windows float32 ``[N, length]`` of [T] that begin at the samples ``starts``; zeros outside of [T]."""
    before, after = max(0, -int(starts.min())), max(0, int(starts.max()) + length - len(x))
    padded = np.pad(x, (before, after)) if before or after else x
    return np.stack([padded[s : s + length] for s in (starts + before).tolist()]).astype(np.float32, copy=False)


@dataclass(frozen=True, eq=False)
class PatchTable:
    """The patches of M waveforms.

    Args:
        ids: [M], the name of each waveform.
        rows: M arrays float16 ``[N, D]``.
        fingerprint: Of the :class:`PatchEncoder`.
    """

    ids: tuple[str, ...]
    rows: tuple[np.ndarray, ...]
    fingerprint: str

    @classmethod
    def make(cls, encoder: PatchEncoder, waveforms: Iterable[tuple[str, np.ndarray, int]]) -> PatchTable:
        """The patches of waveforms ``(id, mono [T], sample rate in Hz)``."""
        rows = [(name, encoder.patches(waveform, rate).astype(np.float16)) for name, waveform, rate in waveforms]
        return cls(tuple(name for name, _ in rows), tuple(vectors for _, vectors in rows), encoder.fingerprint)

    def save(self, path: str | Path) -> None:
        """Writes one safetensors file, with names and fingerprint in its header."""
        arrays = {"lengths": np.array([len(r) for r in self.rows], np.int64), "vectors": np.concatenate(self.rows)}
        header = {"format": FORMAT, "fingerprint": self.fingerprint, "ids": json.dumps(self.ids)}
        with files.atomic_path(path) as temporary:
            save_file(arrays, temporary, metadata=header)

    @classmethod
    def load(cls, path: str | Path, fingerprint: str, ids: Sequence[str] | None = None) -> PatchTable:
        """Reads a table.

        Raises:
            StorageError: the file is missing or damaged, or its ids are not ``ids`` in this order.
            FingerprintError: its patches were computed by another encoder or with other settings.
        """
        try:
            with safe_open(path, framework="numpy") as file:
                header = file.metadata() or {}
                if header.get("format") != FORMAT:
                    raise ValueError(f"format {header.get('format')!r} is not {FORMAT!r}")
                lengths, vectors = file.get_tensor("lengths"), file.get_tensor("vectors")
        except (OSError, SafetensorError, ValueError) as error:
            raise StorageError(f"{path} is not a readable table of patches ({error}); compute it again.") from error
        if header["fingerprint"] != fingerprint:
            raise FingerprintError(f"{path} holds patches of {header['fingerprint']}, not {fingerprint}; delete it.")
        stored = tuple(json.loads(header["ids"]))
        if ids is not None and stored != tuple(ids):
            raise StorageError(f"{path} holds {len(stored)} other waveforms than the {len(ids)} asked for; delete it.")
        return cls(stored, tuple(np.split(vectors, np.cumsum(lengths)[:-1])), fingerprint)
