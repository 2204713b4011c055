"""What a row is compared with: its clip and the difference from it, or a clean window of the same recording."""

from __future__ import annotations

import numpy as np
import pytest

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.pages.explorer.beside import nearest_clean
from contrastive_artifacts.pages.explorer.slices import Slices


def test_the_difference_of_a_view_is_what_the_artifact_changed(rendered):
    slices = Slices(rendered)
    row = next(row for row in range(9) if rendered.facts(row)["artifact"] == "clicks")
    damaged, clean, left = (slices.get(row, version) for version in ("damaged", "clean", "difference"))
    touched = np.zeros(left.waveform.shape[1], bool)
    for a, b in damaged.segments:
        touched[a:b] = True
    power = np.square(left.waveform[0])
    assert power[touched].mean() > 100 * power[~touched].mean()
    assert left.gain == clean.gain, "the three are heard at one gain"


def test_an_archive_is_compared_with_the_nearest_clean_window(several):
    """Recordings of explored.sets hold clean, hum, hiss, both, clicks (not heard), hum; windows do not overlap."""
    labels = [several.label_of(row, several.facts(row)) for row in range(6)]
    assert labels[0] == "clean"
    slices = Slices(several)
    clean = nearest_clean(several, 1)
    assert clean == 0
    np.testing.assert_array_equal(slices.get(1, "clean").waveform, slices.get(0).waveform)
    for row in range(6):
        nearest = nearest_clean(several, row)
        if labels[row] == "clean":
            assert nearest is None
        else:
            assert labels[nearest] == "clean"
            assert abs(nearest - row) == min(abs(n - row) for n in range(6) if labels[n] == "clean")
    with pytest.raises(ParameterError, match="no clean version"):
        slices.get(0, "clean")
    with pytest.raises(ParameterError, match="no difference version"):
        slices.get(1, "difference")
