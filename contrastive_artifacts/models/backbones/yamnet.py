"""YAMNet: MobileNetV1 over log-mel patches of 0.96 s, one vector of width 1024 each.

Architecture: tensorflow/models, research/audioset/yamnet, yamnet.py (Apache-2.0); MobileNets, arXiv 1704.04861.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from ..frontends import yamnet_mel
from . import yamnet_convert
from .contract import Backbone, Features
from .layers import ConvUnit, Norm, as_image, in_chunks
from .spec import Checkpoint, Source

CLASSES = 521
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": partial(nn.ReLU, inplace=True),  # the published float weights
    "relu6": partial(nn.ReLU6, inplace=True),  # the mobile weights of Google
}
CHUNK = 96  # patches per chunk
STEM = 32
BLOCKS = (  # (stride of the depthwise convolution, channels after the pointwise one)
    *((1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512)),
    *((1, 512), (1, 512), (1, 512), (1, 512), (1, 512), (2, 1024), (1, 1024)),
)


class YAMNet(Backbone):
    """Frames are the published embeddings: the mean of the last feature map of each patch, before the classifier.

    Args:
        norm: "folded" or "batch", see :class:`ConvUnit`.
        activation: "relu" or "relu6", depending on the weights.
    """

    sample_rate = yamnet_mel.SAMPLE_RATE
    bands = yamnet_mel.BANDS
    dim = BLOCKS[-1][1]
    convolutional = True
    hop_s = yamnet_mel.PATCH_HOP_SAMPLES / sample_rate
    window_s = yamnet_mel.PATCH_SAMPLES / sample_rate
    offset_s = 0.0
    min_samples = yamnet_mel.PATCH_SAMPLES

    def __init__(self, norm: Norm, activation: str = "relu") -> None:
        super().__init__()
        self.norm = norm
        self.frontend = yamnet_mel.YamnetMel()
        act = ACTIVATIONS[activation]

        def unit(inputs: int, outputs: int, kernel: int, stride: int, groups: int) -> ConvUnit:
            return ConvUnit(
                inputs, outputs, kernel, norm, act, stride, groups, padding=None, eps=yamnet_convert.BATCH_NORM_EPS
            )

        blocks: list[nn.Module] = [unit(1, STEM, 3, 2, 1)]
        width = STEM
        for stride, outputs in BLOCKS:
            blocks.append(nn.Sequential(unit(width, width, 3, stride, width), unit(width, outputs, 1, 1, 1)))
            width = outputs
        self.blocks = nn.Sequential(*blocks)

    def forward(self, waveform: Tensor) -> Features:
        patches = self.frontend(self.padded(waveform))  # [B, N, 96, 64]
        embeddings = in_chunks(self._embed, patches.flatten(0, 1), CHUNK, self.norm == "batch" and self.training)
        hop = yamnet_mel.PATCH_HOP_FRAMES
        spectrogram = torch.cat([patches[:, :, :hop].flatten(1, 2), patches[:, -1, hop:]], dim=1)
        return Features(embeddings.unflatten(0, patches.shape[:2]), self.hop_s, spectrogram.transpose(1, 2))

    def _embed(self, patches: Tensor) -> Tensor:
        return self.blocks(as_image(patches)).mean((2, 3)).float()

    def layer_groups(self) -> list[nn.Module]:
        return list(self.blocks)


def head() -> nn.Module:
    """The published AudioSet classifier on top of the frames (logits), to verify converted weights."""
    return nn.Linear(YAMNet.dim, CLASSES)


CHECKPOINTS = (
    Checkpoint(
        name="yamnet",
        build=YAMNet,
        head=head,
        clip_head=False,
        sources=(
            # First, as its digest is known; the float file is used if it is in the cache or given by path.
            Source(
                "lite-model_yamnet_classification_tflite_1.tflite",
                "https://storage.googleapis.com/download.tensorflow.org/models/tflite/task_library/"
                "audio_classification/android/lite-model_yamnet_classification_tflite_1.tflite",
                size=4126810,
                sha256="10c95ea3eb9a7bb4cb8bddf6feb023250381008177ac162ce169694d05c317de",
                read=yamnet_convert.convert_tflite,
                options={"activation": "relu6"},
            ),
            Source(
                "yamnet.h5",
                "https://storage.googleapis.com/audioset/yamnet.h5",
                size=None,  # not known yet
                sha256=None,
                read=yamnet_convert.convert_h5,
                options={"activation": "relu"},
            ),
        ),
        options={"norm": "folded"},
        scratch={"norm": "batch"},
        licence="Apache-2.0",
        code_licence="Apache-2.0",
        origin="Google, tensorflow/models research/audioset/yamnet",
        paper="https://arxiv.org/abs/1704.04861",
        published={"parameters": 3_729_481, "map": 0.306},
    ),
)
