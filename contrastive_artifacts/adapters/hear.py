"""The common API of HEAR (arXiv 2203.03022): ``hear-validator contrastive_artifacts.adapters.hear``.

HEAR resamples audio to one of a few rates beforehand; encoders at other rates (32 kHz) are given 48 kHz.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..core.vectors import unit_rows
from ..embedding import PretrainedEncoder, load
from .windowed import centred

RATES = (16000, 22050, 44100, 48000)
HOP_MS = 50.0


class HearModel(nn.Module):
    """An encoder with the attributes that HEAR reads.

    Attributes:
        sample_rate: In Hz, one of RATES; what the functions below take.
        scene_embedding_size, timestamp_embedding_size: D.
    """

    def __init__(self, encoder: PretrainedEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.sample_rate = encoder.sample_rate if encoder.sample_rate in RATES else RATES[-1]
        self.scene_embedding_size = self.timestamp_embedding_size = encoder.dim


def load_model(model_file_path: str = "release") -> HearModel:
    """The encoder of a name or folder, as :func:`contrastive_artifacts.load` takes it, its context module included.

    Raises:
        StorageError, WeightsError: there is none, or it is damaged.
    """
    return HearModel(load(model_file_path))


def get_timestamp_embeddings(audio: Tensor, model: HearModel) -> tuple[Tensor, Tensor]:
    """``[B, T]`` at the model's rate -> h ``[B, N, D]`` every 50 ms, and their centres in milliseconds ``[B, N]``."""
    embeddings = centred(model.encoder, audio, model.sample_rate, HOP_MS / 1000)
    centres = HOP_MS * torch.arange(embeddings.shape[1], device=embeddings.device)
    return embeddings, centres.expand(len(embeddings), -1)


def get_scene_embeddings(audio: Tensor, model: HearModel) -> Tensor:
    """``[B, T]`` at the model's rate -> ``[B, D]``, unit length: the mean over windows half a window apart."""
    frames = centred(model.encoder, audio, model.sample_rate, model.encoder.window_s / 2)
    return torch.from_numpy(unit_rows(frames.mean(1).cpu().numpy())).to(frames.device)
