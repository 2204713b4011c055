"""analysis/measured_faults.py: recordings with a known fault of their own, and the table's counts."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import yaml
from loading import loaded

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import ParameterError

ROOT = Path(__file__).parents[2]
RATE, SECONDS = 44100, 6.0


def recordings(folder: Path) -> Path:
    """Two recordings that hum, one that is clipped, two without a fault, and one that is too short."""
    rng, time = np.random.default_rng(0), np.arange(round(RATE * SECONDS)) / RATE
    noise = [rng.standard_normal(time.size).astype(np.float32) for _ in range(5)]
    swell = (0.06 * (1 + np.sin(2 * np.pi * 0.4 * time))).astype(np.float32)
    hum = sum(0.08 / k * np.sin(2 * np.pi * 50 * k * time) for k in range(1, 6)).astype(np.float32)
    waves = {
        "hum_1": 0.3 * swell * noise[0] + hum,
        "hum_2": 0.3 * swell * noise[1] + hum,
        "clipped": np.clip(6 * swell * noise[2], -0.5, 0.5),
        "clean_1": swell * noise[3],
        "clean_2": swell * noise[4],
        "short": noise[0][:4000] * 0.1,
    }
    for name, wave in waves.items():
        audio.write(folder / f"{name}.wav", wave[None], RATE)
    return folder


@pytest.mark.slow
def test_counts_of_recordings_whose_faults_are_known(tmp_path: Path) -> None:
    config = yaml.safe_load((ROOT / "configs" / "measured_faults.yaml").read_text(encoding="utf-8"))
    config.pop("defaults")
    corpora = {"recorded": {"kind": "folder", "path": str(recordings(tmp_path / "recorded"))}}
    config |= {"corpora": corpora, "csv": str(tmp_path / "table.csv")}
    main = loaded(ROOT / "analysis" / "measured_faults.py").main
    main(config)
    rows = {row["fault"]: row for row in csv.DictReader((tmp_path / "table.csv").read_text().splitlines())}
    counts = {fault: [int(row[name]) for name in ("with", "heard", "without")] for fault, row in rows.items()}
    assert counts["hum"] == [2, 2, 3]
    assert counts["clipping"] == [1, 1, 4]
    assert counts["bandlimit"][0] == 0
    assert rows["bandlimit"]["share"] == ""
    assert rows["hum"]["low"] == "0.342"  # Wilson's interval of 2 in 2
    with pytest.raises(ParameterError, match="does not know bandlimit"):
        main({**config, "encoder": "release/mn04"})
