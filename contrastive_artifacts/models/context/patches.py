"""Patches of a long waveform as vectors: what an encoder, or a published backbone, knows of each by itself.

They are computed once and cached, so that a context module over them trains in minutes on one core.
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
BATCH = 61  # patches that go through the network at once: 30 s of them
PARTS = ("branches", "frames", "bands", "detail")


@dataclass(frozen=True)
class PatchSettings:
    """What a patch is.

    Args:
        patch_s: Its length in seconds, > 0; no less than what the backbone needs is taken.
        hop_s: From patch to patch, > 0.
        parts: What its vector holds, of ``PARTS``: "branches" (what the encoder's three trained branches make of the
            patch, before its neck), "frames" (mean of the backbone's frames), "bands" (mean log-mel of each band:
            level and spectrum, from which slow changes are seen), "detail" (the statistics of the waveform). Empty: all
            but "frames" for an encoder; "frames" alone for a backbone, which is then heard as it was published.
    """

    patch_s: float = 0.96
    hop_s: float = 0.48
    parts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if min(self.patch_s, self.hop_s) <= 0:
            raise ParameterError(f"patch_s and hop_s must be > 0; got {self.patch_s} and {self.hop_s}.")
        if unknown := sorted(set(self.parts) - set(PARTS)):
            raise ParameterError(f"There is no part {', '.join(unknown)}; choose of {', '.join(PARTS)}.")


class PatchEncoder:
    """Waveform -> one vector a patch, by a frozen copy of an encoder or of a bare backbone.

    Attributes:
        window, hop: Of the patches, in samples at ``sample_rate``.
        widths: Part -> its width; a vector is the parts side by side, ``dim`` wide.
        fingerprint: Of the network and the settings.
    """

    def __init__(self, model: Encoder | backbones.Backbone, settings: PatchSettings | None = None) -> None:
        settings = settings or PatchSettings()
        self.encoder = model if isinstance(model, Encoder) else None
        backbone = model.backbone if isinstance(model, Encoder) else model
        parts = settings.parts or (("branches", "bands", "detail") if self.encoder is not None else ("frames",))
        if self.encoder is None and (missing := {"branches", "detail"} & set(parts)):
            raise ParameterError(f"A bare backbone has no {', '.join(sorted(missing))}; give an encoder.")
        self.settings = PatchSettings(settings.patch_s, settings.hop_s, parts)
        self.sample_rate = backbone.sample_rate
        self.window = max(round(settings.patch_s * self.sample_rate), backbone.min_samples)
        self.hop = max(1, round(settings.hop_s * self.sample_rate))
        known = {"frames": backbone.dim, "bands": backbone.bands}
        if self.encoder is not None:
            known |= {"branches": 3 * (self.encoder.settings.hidden // 2), "detail": self.encoder.detail.size}
        self.widths = {part: known[part] for part in parts}
        self.dim = sum(self.widths.values())
        network = self.encoder.fingerprint() if self.encoder is not None else fingerprint_of(backbone.record, backbone)
        self.fingerprint = fingerprint_of([FORMAT, network, asdict(self.settings)])
        self._frozen = backbones.freeze(model)

    @property
    def hop_s(self) -> float:
        return self.hop / self.sample_rate

    def patches(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """float32 ``[N, dim]``, N >= 1, of mono float32 ``[T]``: patch n begins ``n * hop_s`` seconds in.

        Only whole patches count; a waveform shorter than one is one patch, completed with zeros.

        Raises:
            AudioError: no samples.
        """
        samples = -(-len(waveform) * self.sample_rate // sample_rate)
        count = 1 + max(0, samples - self.window) // self.hop
        return self.at(waveform, sample_rate, np.arange(count) * self.hop_s)

    def at(self, waveform: np.ndarray, sample_rate: int, starts_s: np.ndarray) -> np.ndarray:
        """float32 ``[N, dim]`` of the patches that begin at ``starts_s`` [N]; before and after the waveform are zeros.

        The detail figures of an encoder that goes by a recording's own rate are taken at ``sample_rate``.

        Raises:
            AudioError: not mono, or no samples.
        """
        if waveform.ndim != 1 or not len(waveform):
            raise AudioError(f"Patches are cut from a mono waveform [T] that is not empty; got {waveform.shape}.")
        own = audio.resample(waveform, sample_rate, self.sample_rate)
        native = self.encoder is not None and self.encoder.settings.native and sample_rate != self.sample_rate
        out = [np.zeros((0, self.dim), np.float32)]
        for first in range(0, len(starts_s), BATCH):
            starts = starts_s[first : first + BATCH]
            windows = _cut(own, np.rint(starts * self.sample_rate).astype(int), self.window)
            detail = None
            if native:
                length = round(self.window * sample_rate / self.sample_rate)
                figures = numpy_detail(_cut(waveform, np.rint(starts * sample_rate).astype(int), length), sample_rate)
                detail = DetailFigures(*map(torch.from_numpy, figures))
            with torch.inference_mode():
                out.append(self._parts(torch.from_numpy(windows), detail).numpy())
        return np.concatenate(out)

    def part(self, vectors: np.ndarray, name: str) -> np.ndarray:
        """The columns ``[..., width]`` of one part."""
        names = list(self.widths)
        start = sum(self.widths[n] for n in names[: names.index(name)])
        return vectors[..., start : start + self.widths[name]]

    def _parts(self, windows: Tensor, detail: DetailFigures[Tensor] | None) -> Tensor:
        frozen = self._frozen
        features = (frozen.backbone if isinstance(frozen, Encoder) else frozen)(windows)
        made = {"frames": features.frames.mean(1), "bands": features.spectrogram.mean(2)}
        if isinstance(frozen, Encoder) and {"branches", "detail"} & self.widths.keys():
            made["detail"] = frozen.detail.pooled(frozen.detail.figures(windows) if detail is None else detail)
            inner = (pool(features.frames), spectral_statistics(features.spectrogram), made["detail"])
            made["branches"] = torch.cat([b(x) for b, x in zip(frozen.branches, inner, strict=True)], dim=1)
        return torch.cat([made[part] for part in self.widths], dim=1).float()


def _cut(x: np.ndarray, starts: np.ndarray, length: int) -> np.ndarray:
    """float32 ``[N, length]`` from each of the samples ``starts`` of [T] on, zeros where there are none."""
    before, after = max(0, -int(starts.min())), max(0, int(starts.max()) + length - len(x))
    padded = np.pad(x, (before, after)) if before or after else x
    return np.stack([padded[s : s + length] for s in (starts + before).tolist()]).astype(np.float32, copy=False)


@dataclass(frozen=True, eq=False)
class PatchTable:
    """The patches of many waveforms, stored as float16.

    Args:
        ids: [M] what each waveform is.
        rows: M arrays float16 ``[N, D]``.
        fingerprint: Of the :class:`PatchEncoder`.
    """

    ids: tuple[str, ...]
    rows: tuple[np.ndarray, ...]
    fingerprint: str

    @classmethod
    def make(cls, encoder: PatchEncoder, waveforms: Iterable[tuple[str, np.ndarray, int]]) -> PatchTable:
        """Patches of ``(id, mono [T], rate in Hz)``."""
        made = [(name, encoder.patches(waveform, rate).astype(np.float16)) for name, waveform, rate in waveforms]
        return cls(tuple(name for name, _ in made), tuple(rows for _, rows in made), encoder.fingerprint)

    def save(self, path: str | Path) -> None:
        """One safetensors file; names and fingerprint are in its header."""
        arrays = {"lengths": np.array([len(r) for r in self.rows], np.int64), "vectors": np.concatenate(self.rows)}
        header = {"format": FORMAT, "fingerprint": self.fingerprint, "ids": json.dumps(self.ids)}
        with files.atomic_path(path) as temporary:
            save_file(arrays, temporary, metadata=header)

    @classmethod
    def load(cls, path: str | Path, fingerprint: str, ids: Sequence[str] | None = None) -> PatchTable:
        """Reads a table.

        Raises:
            StorageError: the file is missing or damaged, or does not hold just these ``ids`` in this order.
            FingerprintError: its patches were made by another encoder or with other settings.
        """
        try:
            with safe_open(path, framework="numpy") as file:
                header = file.metadata() or {}
                if header.get("format") != FORMAT:
                    raise ValueError(f"format {header.get('format')!r} is not {FORMAT!r}")
                lengths, vectors = file.get_tensor("lengths"), file.get_tensor("vectors")
        except (OSError, SafetensorError, ValueError) as error:
            raise StorageError(f"{path} is no readable table of patches ({error}); compute it again.") from error
        if header["fingerprint"] != fingerprint:
            raise FingerprintError(f"{path} holds patches of {header['fingerprint']}, not {fingerprint}; delete it.")
        found = tuple(json.loads(header["ids"]))
        if ids is not None and found != tuple(ids):
            raise StorageError(f"{path} holds {len(found)} other waveforms than the {len(ids)} asked for; delete it.")
        return cls(found, tuple(np.split(vectors, np.cumsum(lengths)[:-1])), fingerprint)
