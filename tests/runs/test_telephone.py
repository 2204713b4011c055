"""analysis/telephone.py: the codecs are real, and the table counts what was heard."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import yaml
from loading import loaded
from scipy import signal

from contrastive_artifacts.core.errors import ParameterError

ROOT = Path(__file__).parents[2]
telephone = loaded(ROOT / "analysis" / "telephone.py")


def voice(seconds: float = 2.0) -> np.ndarray:
    """Pulses of varying pitch through two formants, float32 [T] at 8 kHz."""
    time = np.arange(int(seconds * telephone.RATE)) / telephone.RATE
    wave = np.diff(np.floor(np.cumsum(120 + 20 * np.sin(2 * np.pi * 1.5 * time)) / telephone.RATE), prepend=0)
    for centre, width in ((650, 90), (1100, 110)):
        pole = np.exp((-np.pi * width + 2j * np.pi * centre) / telephone.RATE)
        wave = signal.lfilter([1 - abs(pole)], [1, -2 * pole.real, abs(pole) ** 2], wave)
    return (0.5 * wave / np.abs(wave).max()).astype(np.float32)


@pytest.mark.parametrize("codec", telephone.CODECS)
def test_a_voice_passes_each_codec_and_is_changed_by_it(codec: str) -> None:
    clean = voice()
    decoded = telephone.CODECS[codec](clean)
    assert decoded.dtype == np.float32
    assert len(decoded) >= len(clean)
    fit = signal.correlate(decoded, clean, method="fft")[len(clean) - 1 : len(clean) - 1 + telephone.RATE // 40]
    alike = fit.max() / np.sqrt(np.square(decoded).sum() * np.square(clean).sum())
    assert alike > 0.7
    assert (codec == "none") == np.array_equal(decoded, clean)


@pytest.mark.slow
def test_every_codec_is_counted_at_both_rates(tmp_path: Path) -> None:
    config = yaml.safe_load((ROOT / "configs" / "telephone.yaml").read_text(encoding="utf-8"))
    config.pop("defaults")
    config |= {"clips": 2, "csv": str(tmp_path / "table.csv")}
    telephone.main(config)
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text().splitlines()))
    assert [(row["codec"], int(row["file_rate"])) for row in rows] == [
        (codec, rate) for codec in telephone.CODECS for rate in (8000, 44100)
    ]
    assert {row["clips"] for row in rows} == {"2"}
    with pytest.raises(ParameterError, match=r"csv=.*table"):
        telephone.main({**config, "csv": str(tmp_path / "table.csv" / "below.csv")})
