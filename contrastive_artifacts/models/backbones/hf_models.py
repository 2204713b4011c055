"""Audio encoders of the transformers library as backbones: wav2vec 2.0, models like it, and Whisper.

The layers are those of the library, built from a configuration; no code of a checkpoint is used. In contrast to the
models of the library they take input of any length.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ..frontends import whisper_mel, yamnet_mel
from . import huggingface
from .contract import Backbone, Features
from .windowed import in_windows


class HFBackbone(Backbone):
    """Base of the models of transformers; a subclass defines the input and the order of the layers.

    Args:
        network: The model, without dropout.
    """

    network: Any
    offset_s = 0.0

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = huggingface.fixed(network)
        huggingface.rest_norms(self.network)

    def layer_groups(self) -> list[nn.Module]:
        *layers, last = self.layers()
        top = nn.ModuleList([last, *self.final()])
        placed = {id(p) for module in (*layers, top) for p in module.parameters()}
        stem = nn.ParameterList(p for p in self.network.parameters() if id(p) not in placed)
        return [stem, *layers, top]

    def layers(self) -> Sequence[nn.Module]:
        """The layers of the transformer, bottom to top."""
        raise NotImplementedError

    def final(self) -> list[nn.Module]:
        """The modules above the layers."""
        raise NotImplementedError


class BandSpectrogram(nn.Module):
    """``[B, T]`` at 16 kHz -> 64-band log-mel ``[B, 64, F]``, for networks whose input is the waveform."""

    def __init__(self) -> None:
        super().__init__()
        self.mel = yamnet_mel.YamnetMel()

    def forward(self, waveform: Tensor) -> Tensor:
        return self.mel.spectrogram(waveform).transpose(1, 2)


class WaveformBackbone(HFBackbone):
    """wav2vec 2.0 (arXiv 2006.11477) and similar: convolutions on the waveform, then a transformer over all frames.

    Frames are the last hidden states. Input of any length is processed in one pass.

    Args:
        network: The model.
        preprocessor: ``do_normalize`` (default: true): scale each row to zero mean and unit variance.
    """

    sample_rate = yamnet_mel.SAMPLE_RATE
    bands = yamnet_mel.BANDS

    def __init__(self, network: Any, preprocessor: Mapping[str, Any]) -> None:
        super().__init__(network)
        config = network.config
        self.frontend = BandSpectrogram()
        self.normalize = bool(preprocessor.get("do_normalize", True))
        self.dim = config.hidden_size
        strides = [math.prod(config.conv_stride[:i]) for i in range(len(config.conv_stride))]
        receptive = 1 + sum((kernel - 1) * stride for kernel, stride in zip(config.conv_kernel, strides, strict=True))
        self.hop_s = math.prod(config.conv_stride) / self.sample_rate
        self.window_s = receptive / self.sample_rate
        self.min_samples = max(receptive, yamnet_mel.WINDOW + yamnet_mel.HOP)

    def forward(self, waveform: Tensor) -> Features:
        x = self.padded(waveform)
        spectrogram = self.frontend(x)
        if self.normalize:
            x = (x - x.mean(1, keepdim=True)) / (x.var(1, unbiased=False, keepdim=True) + 1e-7).sqrt()
        return Features(self.network(x).last_hidden_state.float(), self.hop_s, spectrogram)

    def layers(self) -> Sequence[nn.Module]:
        return list(self.network.encoder.layers)

    def final(self) -> list[nn.Module]:
        # Networks with normalisation before each layer have this norm on top, the others below the first layer.
        stable = getattr(self.network.config, "do_stable_layer_norm", False)
        return [self.network.encoder.layer_norm] if stable else []


class WhisperBackbone(HFBackbone):
    """Whisper's encoder (arXiv 2212.04356). Frames are its output, 20 ms apart.

    The published model pads every clip to 30 s. Here, shorter input uses only the first positions, and longer input is
    cut into windows of 30 s.
    """

    sample_rate = whisper_mel.SAMPLE_RATE
    hop_s = window_s = 2 * whisper_mel.HOP / sample_rate
    offset_s = -hop_s / 2
    min_samples = 2 * whisper_mel.HOP

    def __init__(self, network: Any, preprocessor: Mapping[str, Any]) -> None:
        super().__init__(network)
        self.bands, self.dim = network.config.num_mel_bins, network.config.d_model
        self.frontend = whisper_mel.WhisperMel(self.bands)

    def forward(self, waveform: Tensor) -> Features:
        spectrogram = self.frontend(self.padded(waveform))
        frames, _ = in_windows(self._window, spectrogram, 2 * self.network.config.max_source_positions, 2)
        return Features(frames, self.hop_s, spectrogram)

    def _window(self, spectrogram: Tensor) -> tuple[Tensor, None]:
        encoder = self.network
        x = nn.functional.gelu(encoder.conv2(nn.functional.gelu(encoder.conv1(spectrogram)))).transpose(1, 2)
        x = x + encoder.embed_positions.weight[: x.shape[1]]
        for layer in encoder.layers:
            x = layer(x, None)
        return encoder.layer_norm(x).float(), None

    def layers(self) -> Sequence[nn.Module]:
        return list(self.network.layers)

    def final(self) -> list[nn.Module]:
        return [self.network.layer_norm]
