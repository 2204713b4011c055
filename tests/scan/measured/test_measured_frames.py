"""Frames at regular places, whatever the lengths of the pieces."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.scan.measured.frames import Frames


@pytest.mark.parametrize("piece", [1, 3, 7, 100])
def test_frames_are_those_of_the_whole(piece: int) -> None:
    whole = np.arange(2 * 50, dtype=np.float32).reshape(2, 50)
    frames = Frames(4, 10)
    cut = [frame for start in range(0, 50, piece) for frame in frames.add(whole[:, start : start + piece])]
    assert len(cut) == 5
    for number, frame in enumerate(cut):
        assert np.array_equal(frame, whole[:, 10 * number : 10 * number + 4])


def test_a_frame_that_does_not_fit_is_left_out() -> None:
    frames = Frames(4, 4)
    assert len(frames.add(np.zeros((1, 7), np.float32))) == 1
    assert len(frames.add(np.zeros((1, 1), np.float32))) == 1
