"""The choice of a channel among those that hold sound."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.artifacts.dsp.channels import pick_channel


@pytest.mark.parametrize(("share", "channel"), [(0.0, 0), (0.3, 1), (0.6, 2), (0.9, 4), (1.0, 4)])
def test_a_share_counts_the_channels_that_hold_sound(share: float, channel: int, wide: np.ndarray) -> None:
    assert pick_channel(wide, share) == channel


def test_in_silence_every_channel_counts() -> None:
    assert [pick_channel(np.zeros((2, 8), dtype=np.float32), share) for share in (0.0, 0.4, 0.6)] == [0, 0, 1]
