"""Parameters and values as texts."""

from __future__ import annotations

import numpy as np

from contrastive_artifacts.pages.shared.texts import parameter_rows


def test_parameters_become_rows_of_texts() -> None:
    rows = parameter_rows(
        {"severity": 0.5, "version": 1, "parameters": {"on": True, "times": list(range(9)), "tone": {"hz": 50.12345}}}
    )
    assert rows == [["on", "yes"], ["times", "0, 1, 2, 3, 4, 5 … (9 values)"], ["tone.hz", "50.12"]]
    assert parameter_rows({"n": np.int64(3), "x": np.float64("nan"), "none": None}) == [
        ["n", "3"],
        ["x", "nan"],
        ["none", "none"],
    ]
