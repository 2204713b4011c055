"""analysis/independent.py: the textbook renderings do what they are called, and the table counts what was heard."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import yaml
from loading import loaded
from scipy import signal

from contrastive_artifacts.artifacts import taxonomy

ROOT = Path(__file__).parents[2]
independent = loaded(ROOT / "analysis" / "independent.py")
FORMS = independent.FORMS
NAMES = [(artifact, form) for artifact, forms in FORMS.items() for form in forms]


def sound(rate: int) -> np.ndarray:
    """Five seconds of syllables of noise with peaks of .5."""
    rng = np.random.default_rng(0)
    wave = signal.lfilter([1], [1, -0.9], rng.normal(size=5 * rate)) * np.abs(np.sin(3 * np.arange(5 * rate) / rate))
    return wave * (0.5 / np.abs(wave).max())


def rendered(artifact: str, form: str, wave: np.ndarray, rate: int, strength: float = 1.0) -> np.ndarray:
    return FORMS[artifact][form](wave.copy(), rate, strength, np.random.default_rng(1))


def level_db(wave: np.ndarray, rate: int, low: float, high: float) -> float:
    hertz, power = signal.welch(wave, rate, nperseg=8192)
    return float(10 * np.log10(power[(hertz >= low) & (hertz <= high)].mean() + 1e-20))


def test_every_artifact_of_one_channel_has_a_form() -> None:
    assert set(FORMS) == set(taxonomy.detectable("all"))
    assert {step for chain in independent.RECORDINGS.values() for step in chain} <= set(NAMES)
    assert not set(independent.RECORDINGS) & {form for _, form in NAMES}


@pytest.mark.parametrize(("artifact", "form"), NAMES)
@pytest.mark.parametrize("rate", [8000, 44100])
def test_each_form_changes_the_sound_and_keeps_most_of_it(artifact: str, form: str, rate: int) -> None:
    wave = sound(rate)
    for strength in (0.0, 1.0):
        out = rendered(artifact, form, wave, rate, strength)
        assert 0.8 * len(wave) < len(out) <= len(wave)
        assert np.isfinite(out).all()
        change = (out - wave[: len(out)] * (out @ wave[: len(out)]) / (wave[: len(out)] @ wave[: len(out)])).std()
        assert change > 0.001 * out.std(), strength


def test_forms_are_what_they_are_called() -> None:
    rate, wave = 44100, sound(44100)
    for form in FORMS["hum"]:
        hum = rendered("hum", form, wave, rate) - wave
        lines = np.abs(np.fft.rfft(hum))
        assert min(abs(np.argmax(lines) / 5 - mains) for mains in (50, 60, 100, 120)) < 0.3, form
    assert level_db(rendered("bandlimit", "brick wall", wave, rate), rate, 3000, 20000) < -100
    assert level_db(rendered("bandlimit", "telephone", wave, rate), rate, 20, 200) < level_db(wave, rate, 20, 200) - 40
    steps = np.unique(rendered("quantization", "rounded", wave, rate))
    assert len(steps) <= 2**5
    clipped = rendered("clipping", "by gain", wave, rate)
    assert (np.abs(clipped) == np.abs(clipped).max()).mean() > 0.05
    assert len(rendered("skip", "several", wave, rate)) < len(wave) - 0.006 * rate
    assert 0.05 < (rendered("dropout", "zeros", wave, rate) == 0).mean() < 0.15  # gaps may overlap


def test_wow_moves_a_tone_by_the_stated_share() -> None:
    """.55 Hz at full strength: 2 % to either side, by the phase of the analytic signal."""
    rate = 16000
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(5 * rate) / rate)
    moved = rendered("wow_flutter", ".55 Hz", tone, rate)[rate // 2 : -rate // 2]
    speed = np.diff(np.unwrap(np.angle(signal.hilbert(moved)))) * rate / (2 * np.pi * 1000)
    smooth = np.convolve(speed, np.ones(800) / 800, mode="valid")[1000:-1000]  # means of 50 ms, without the ends
    assert smooth.max() == pytest.approx(1.02, abs=0.001)
    assert smooth.min() == pytest.approx(0.98, abs=0.001)


def test_a_comb_has_notches_and_an_echo_comes_later() -> None:
    rate, rng = 44100, np.random.default_rng(3)
    noise = rng.normal(size=5 * rate)
    for form in FORMS["comb"]:
        hertz, power = signal.welch(rendered("comb", form, noise, rate), rate, nperseg=2048)
        decibels = 10 * np.log10(power[(hertz > 500) & (hertz < 9000)])
        assert decibels.max() - decibels.min() > 10, form
    echoed = rendered("echo", "one", noise, rate)
    fit = signal.correlate(echoed, noise, method="fft")[len(noise) - 1 :]
    assert 0.08 * rate <= 1000 + np.argmax(fit[1000:]) <= 0.3 * rate


def test_areas_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    damaged, clean = rng.integers(0, 9, 40) + 1.0, rng.integers(0, 9, 30) + 0.0
    expected = roc_auc_score(np.repeat([1, 0], [40, 30]), np.concatenate([damaged, clean]))
    assert independent._area(damaged, clean) == pytest.approx(expected)


@pytest.mark.slow
def test_every_form_pair_and_recording_is_counted(tmp_path: Path) -> None:
    config = yaml.safe_load((ROOT / "configs" / "independent.yaml").read_text(encoding="utf-8"))
    config.pop("defaults")
    independent.main({**config, "clips": 2, "csv": str(tmp_path / "table.csv")})
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text().splitlines()))
    assert [row["artifact"] for row in rows[:3]] == ["all", "clean", "pair"]
    assert {row["artifact"] for row in rows} > set(FORMS) | set(independent.RECORDINGS)
    for artifact, form in NAMES:
        row = next(row for row in rows if (row["artifact"], row["form"]) == (artifact, form))
        assert row["windows"] == "2"
        assert 0 <= float(row["low"]) <= float(row["high"]) <= 1
    means = [float(row["area"]) for row in rows if row["artifact"] in FORMS and row["form"] == "mean"]
    assert float(rows[0]["area"]) == pytest.approx(np.mean(means), abs=0.001)
