"""The encoder: backbone with its front-end, pooling over time and heads; saved as safetensors and JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from einops import rearrange
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from .. import audio
from ..core import files
from ..core.errors import ParameterError, StorageError, WeightsError
from ..core.lock import locked
from ..core.records import described_by
from ..core.typed import settings as checked_settings
from . import backbones
from .detail import DETAILS, DetailFigures
from .detail.figures import deviation
from .encoder_files import FORMAT, RECORD, TENSORS, record_of, tensors_of
from .fingerprint import fingerprint_of
from .frame_head import FrameHead
from .heads import Encoded, Heads

WIDEST, LONGEST_WINDOW_S = 8192, 600  # limits that no encoder reaches, so that an altered file takes no memory
STATISTICS = 7  # per band, see spectral_statistics


@dataclass(frozen=True)
class EncoderSettings:
    """What defines an encoder, besides the record of its backbone.

    Args:
        states: Labels of the type head, ``"clean"`` first.
        window_s: Length of the windows in seconds, in training and in use.
        hidden: Width of h, the vector before the projector.
        embedding: Width of z, the vector after it.
        dropout: Dropout probability of the pooled features in training, [0, 1).
        frame_hop_s: Length in seconds of the cells that the frame head classifies; 0: no frame head.
        detail: Version of the detail figures: 1 are computed at the backbone's sample rate, 2 at the native rate of the
            recording.

    Raises:
        ParameterError: a value is out of range.
    """

    states: tuple[str, ...]
    window_s: float
    hidden: int = 256
    embedding: int = 128
    dropout: float = 0.1
    frame_hop_s: float = 0.0
    detail: int = 2

    def __post_init__(self) -> None:
        if not self.states or not 0 < self.window_s <= LONGEST_WINDOW_S:
            raise ParameterError(
                f"states={self.states} must name a label and window_s={self.window_s} lie in (0, {LONGEST_WINDOW_S}]."
            )
        if not 2 <= self.hidden <= WIDEST or not 1 <= self.embedding <= WIDEST:
            raise ParameterError(
                f"hidden={self.hidden} must lie in [2, {WIDEST}] and embedding={self.embedding} in [1, {WIDEST}]."
            )
        if not 0 <= self.dropout < 1:
            raise ParameterError(f"dropout must lie in [0, 1); got {self.dropout}.")
        if self.frame_hop_s and not 0.01 <= self.frame_hop_s <= self.window_s:
            raise ParameterError(
                f"frame_hop_s must be 0 (no frame head) or lie in [0.01, window_s={self.window_s}] s; "
                f"got {self.frame_hop_s}."
            )
        if self.detail not in DETAILS:
            raise ParameterError(f"detail must be one of {', '.join(map(str, DETAILS))}; got {self.detail!r}.")

    @property
    def native(self) -> bool:
        """Whether the detail figures are computed at the native rate of the recording."""
        return self.detail > 1

    def record(self) -> dict[str, Any]:
        """Plain JSON; ``frame_hop_s`` of 0 and ``detail`` of 1 are left out, as in the files of older encoders."""
        implied = {"frame_hop_s": 0, "detail": 1}
        return {name: value for name, value in asdict(self).items() if name not in implied or value != implied[name]}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> EncoderSettings:
        """The settings that :meth:`record` wrote.

        Raises:
            ParameterError, TypeError: these are not the settings of an encoder.
        """
        return checked_settings(cls, {"detail": 1, **record}, "settings")


class Encoder(Heads):
    """``forward(waveform [B, T] at encoder.sample_rate, detail) -> Encoded``.

    ``detail`` are the detail figures of the same windows at their native rate (:mod:`.detail.native`), for an encoder
    with ``settings.detail`` 2. Without them they are computed from ``waveform``, as if it had its native rate.

    Raises:
        ParameterError: the backbone drops patches along time (patchout), so that a frame head has no place for them.
    """

    def __init__(self, backbone: backbones.Backbone, settings: EncoderSettings) -> None:
        super().__init__()
        self.backbone, self.settings = backbone, settings
        self.detail = DETAILS[settings.detail](backbone.sample_rate)
        # All branches have the same width, or the few detail figures would be lost among thousands of pooled features.
        self.branches = nn.ModuleList(
            nn.Sequential(norm, nn.Dropout(settings.dropout), nn.Linear(size, settings.hidden // 2), nn.GELU())
            for size, norm in (
                (3 * backbone.dim, nn.LayerNorm(3 * backbone.dim)),
                (STATISTICS * backbone.bands, nn.LayerNorm(STATISTICS * backbone.bands)),
                (self.detail.size, nn.BatchNorm1d(self.detail.size, affine=False)),  # figures of different scales
            )
        )
        self.neck = nn.Sequential(nn.Linear(3 * (settings.hidden // 2), settings.hidden), nn.GELU())
        self.add_heads(settings.hidden, settings.embedding, len(settings.states))
        self.frames: FrameHead | None = None
        if settings.frame_hop_s:
            if backbone.record["options"].get("patchout_t"):
                raise ParameterError(
                    "Patchout along time leaves gaps between frames, so they cannot be labelled; use patchout_f only, "
                    "or encoder.frame_hop_s=0."
                )
            self.frames = FrameHead(
                backbone, settings.hidden, len(settings.states), settings.frame_hop_s, settings.dropout,
                self.detail.features, self.detail.frames_per_s,
            )  # fmt: skip

    @property
    def sample_rate(self) -> int:
        return self.backbone.sample_rate

    def forward(self, waveform: Tensor, detail: DetailFigures[Tensor] | None = None) -> Encoded:
        features, figures = self.backbone(waveform), self.detail.figures(waveform) if detail is None else detail
        parts = (pool(features.frames), spectral_statistics(features.spectrogram), self.detail.pooled(figures))
        h = self.neck(torch.cat([branch(part) for branch, part in zip(self.branches, parts, strict=True)], dim=1))
        encoded = self.encoded(h)
        if self.frames is None:
            return encoded
        return encoded._replace(frame_logits=self.frames(features, waveform.shape[1], h, figures.frames))

    def layer_groups(self) -> list[nn.Module]:
        """Bottom to top: the layer groups of the backbone, then all heads as one group; each has one learning rate."""
        heads = [self.branches, self.neck, self.projector, self.types, self.severities, self.frames]
        return [*self.backbone.layer_groups(), nn.ModuleList(head for head in heads if head is not None)]

    def save(self, directory: str | Path, half: bool = False) -> None:
        """Writes ``encoder.safetensors`` and ``encoder.json``; ``half`` stores float16 (loaded as float32).

        Raises:
            StorageError: another process is writing the folder, or it cannot be written.
        """
        record = {"settings": self.settings.record(), "backbone": self.backbone.record}
        save_network(directory, self, record, half)

    @classmethod
    def load(cls, directory: str | Path) -> Encoder:
        """The encoder in evaluation mode.

        Raises:
            StorageError: the folder holds no encoder, or one of another format.
            WeightsError: the tensors are damaged, or their names or shapes do not match in full.
        """
        path, record = record_of(directory)
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            raise StorageError(f"{path} is not an encoder of format {FORMAT}; train or export it again.")
        with described_by(path, "an encoder", "train or export it again"):
            settings = EncoderSettings.from_record(record["settings"])
            encoder = cls(backbones.build(record["backbone"]), settings)
        load_whole(encoder, load_tensors(tensors_of(directory)), str(directory))
        return encoder.eval()

    def fingerprint(self) -> str:
        """Hash over weights, settings, front-end and resampler; stored with all results of this encoder."""
        about = {"settings": self.settings.record(), "backbone": self.backbone.record, "resampler": audio.RESAMPLER}
        return fingerprint_of(self, about)


def pool(frames: Tensor) -> Tensor:
    """Mean, maximum and standard deviation over time: [B, N, D] -> [B, 3 D]. The deviation is 0 for one frame."""
    return rearrange([frames.mean(dim=1), frames.amax(dim=1), deviation(frames, 1)], "part b d -> b (part d)")


def spectral_statistics(spectrogram: Tensor) -> Tensor:
    """Mean, deviation, minimum and maximum over time of each band, and mean, deviation and maximum of its steps.

    A path around the backbone: noise floors, hum lines and clicks are plain in these statistics, while a network that
    was trained to recognise sounds has learned to ignore them. [B, M, F] -> [B, STATISTICS * M]; F >= 2.
    """
    steps = spectrogram.diff(dim=2).abs()
    over_time = [
        spectrogram.mean(2), deviation(spectrogram, 2), spectrogram.amin(2), spectrogram.amax(2),
        steps.mean(2), deviation(steps, 2), steps.amax(2),
    ]  # fmt: skip
    return torch.cat(over_time, dim=1)


def save_network(directory: str | Path, network: nn.Module, about: dict[str, Any], half: bool) -> None:
    """Writes the tensors of an encoder, in float16 with ``half``, and its record: ``about`` and the format.

    Raises:
        StorageError: another process is writing the folder, or it cannot be written.
    """
    directory = Path(directory)
    plain = backbones.plain_state(network)
    tensors = {name: t.half() if half and t.is_floating_point() else t for name, t in plain.items()}
    with locked(directory, "saving an encoder"):
        with files.atomic_path(directory / TENSORS) as temporary:
            save_file(tensors, temporary)
        files.write_json(directory / RECORD, {"format": FORMAT, **about})


def fits_half(network: nn.Module) -> bool:
    """Whether float16 loses nothing of the tensors of a network, as of an encoder that was exported."""
    floats = [tensor for tensor in network.state_dict().values() if tensor.is_floating_point()]
    return all(torch.equal(tensor, tensor.half().float()) for tensor in floats)


def load_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Raises:
        WeightsError: the file is missing or damaged.
    """
    try:
        return load_file(path)
    except FileNotFoundError:
        raise WeightsError(f"{path} does not exist.") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path} is damaged ({error}); copy or train it again.") from error


def load_whole(network: nn.Module, tensors: dict[str, Tensor], where: str) -> None:
    """Loads all tensors of a network, or none; float16 becomes float32.

    Args:
        network: Its tensors are replaced.
        tensors: As in its ``state_dict``.
        where: The file or folder they come from, for messages.

    Raises:
        WeightsError: names or shapes do not match in full.
    """
    state = network.state_dict()
    missing, extra = sorted(state.keys() - tensors.keys()), sorted(tensors.keys() - state.keys())
    shapes = sorted(k for k in state.keys() & tensors.keys() if state[k].shape != tensors[k].shape)
    if missing or extra or shapes:
        raise WeightsError(
            f"{where}: weights do not fit the encoder: {len(missing)} missing {missing[:3]}, {len(extra)} "
            f"unexpected {extra[:3]}, {len(shapes)} of another shape {shapes[:3]}. "
            "Use the encoder.json saved with them."
        )
    with torch.no_grad():
        for name, tensor in state.items():
            tensor.copy_(tensors[name])
