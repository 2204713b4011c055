"""Windows over long spectrograms: every patch once, on one grid, none longer than published."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from contrastive_artifacts.models.backbones.windowed import in_windows


class Patches:
    """Mean over each patch, which knows nothing of its neighbours: windows must not show in what it gives."""

    def __init__(self, least: int, stride: int) -> None:
        self.least, self.stride = least, stride
        self.lengths: list[int] = []

    def __call__(self, spectrogram: Tensor) -> tuple[Tensor, Tensor | None]:
        self.lengths.append(spectrogram.shape[-1])
        means = spectrogram.unfold(2, self.least, self.stride).mean(3)
        return means.transpose(1, 2), means.mean(2)


@pytest.mark.parametrize(("frames", "least", "stride"), [(998, 16, 10), (100, 16, 10), (64, 16, None), (50, 4, 4)])
def test_windows_give_what_one_pass_gives(frames: int, least: int, stride: int | None) -> None:
    generator = torch.Generator().manual_seed(0)
    step = stride or least
    for length in (least, frames - 1, frames, frames + 1, frames + step, 2 * frames, 3 * frames + 7, 5 * frames - 3):
        spectrogram = torch.randn(2, 3, length, generator=generator)
        network = Patches(least, step)
        tokens, summary = in_windows(network, spectrogram, frames, least, stride)
        whole, mean = Patches(least, step)(spectrogram)
        torch.testing.assert_close(tokens, whole)
        torch.testing.assert_close(summary, mean)  # windows weigh as much as they have tokens
        assert least <= min(network.lengths)
        assert max(network.lengths) <= frames


def test_less_than_a_patch_is_padded_to_one() -> None:
    network = Patches(16, 10)
    tokens, _ = in_windows(network, torch.ones(1, 2, 4), 100, 16, 10)
    torch.testing.assert_close(tokens, torch.full((1, 1, 2), 0.25))
    assert network.lengths == [16]


def test_no_summary_stays_none() -> None:
    def network(spectrogram: Tensor) -> tuple[Tensor, Tensor | None]:
        return spectrogram.transpose(1, 2)[:, ::4], None

    tokens, summary = in_windows(network, torch.zeros(1, 2, 40), 16, 4)
    assert tokens.shape == (1, 10, 2)
    assert summary is None
