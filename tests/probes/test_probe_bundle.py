"""A saved probe is loaded equal; one of another encoder and any damaged file is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from contrastive_artifacts.core.errors import FingerprintError, ParameterError, StorageError
from contrastive_artifacts.core.files import read_json, sha256, write_json
from contrastive_artifacts.probes import (
    Embedded,
    LinearProbe,
    MLPProbe,
    Probe,
    SeverityProbe,
    Verdicts,
    load_probe,
    save_probe,
)


@pytest.fixture(scope="module")
def probe(train: Embedded) -> Probe:
    return Probe.fit(train, "f1")


def test_classify(probe: Probe, test: Embedded) -> None:
    right = 0
    chances, severities = probe.classify_batch(test.x)
    for i, vector in enumerate(test.x):
        label, probabilities, severity = probe.classify(vector, "f1")
        right += label == test.artifact[i]
        assert sum(probabilities.values()) == pytest.approx(1.0)
        assert label == max(probabilities, key=probabilities.get)
        assert set(severity) == {"hiss", "hum", "clicks"}
        assert all(0.0 <= value <= 1.0 for value in severity.values())
        np.testing.assert_allclose([probabilities[name] for name in probe.classes], chances[i], rtol=1e-5)
        np.testing.assert_allclose(severity["hum"], severities[i, probe.classes.index("hum")], atol=1e-5)
    assert right / len(test) > 0.8
    json.dumps(probe.classify(test.x[0]))


def test_the_severity_of_an_added_label_is_unknown(train: Embedded, test: Embedded) -> None:
    """Rows with unknown severity, as user labels give them, train the type probe only."""
    added = train.artifact == "clicks"
    severity = np.where(added, np.nan, train.severity)
    probe = Probe.fit(Embedded(train.x, np.where(added, "thump", train.artifact), severity, train.source), "f1")
    thump, clean, hum = (probe.classes.index(name) for name in ("thump", "clean", "hum"))
    probabilities, severities = probe.classify_batch(test.x)
    assert np.isnan(severities[:, thump]).all()
    assert not severities[:, clean].any()
    assert ((severities[:, hum] >= 0) & (severities[:, hum] <= 1)).all()
    verdicts = Verdicts.of(probabilities, severities)
    is_thump = verdicts.labels == thump
    assert (test.artifact[is_thump] == "clicks").mean() > 0.8
    np.testing.assert_array_equal(np.isnan(verdicts.severities), is_thump)
    np.testing.assert_allclose(verdicts.probabilities, probabilities.max(axis=1), rtol=1e-6)
    label, _, severity_of = probe.classify(test.x[np.flatnonzero(is_thump)[0]])
    assert (label, severity_of["thump"], set(severity_of)) == ("thump", None, {"hiss", "hum", "thump"})
    assert "NaN" not in json.dumps(severity_of)


def test_round_trip_is_exact(probe: Probe, test: Embedded, tmp_path: Path) -> None:
    probe.save(tmp_path)
    back = Probe.load(tmp_path, "f1")
    assert (back.classes, back.fingerprint) == (probe.classes, "f1")
    np.testing.assert_array_equal(back.classify_batch(test.x)[0], probe.classify_batch(test.x)[0])
    assert back.classify(test.x[3]) == probe.classify(test.x[3])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["probe.json", "probe.safetensors"]


@pytest.mark.parametrize("kind", [LinearProbe, MLPProbe])
def test_each_kind_comes_back(kind, train: Embedded, test: Embedded, tmp_path: Path) -> None:
    fitted = kind.fit(train.x, train.artifact, train.source)
    save_probe(fitted, tmp_path, "f1")
    back = load_probe(tmp_path, "f1")
    assert type(back) is kind
    np.testing.assert_array_equal(back.predict_proba(test.x), fitted.predict_proba(test.x))
    with pytest.raises(FingerprintError):
        load_probe(tmp_path, "f2")
    with pytest.raises(StorageError):
        Probe.load(tmp_path)


def test_a_severity_probe_comes_back(train: Embedded, tmp_path: Path) -> None:
    hum = train.take(train.artifact == "hum")
    fitted = SeverityProbe.fit(hum.x, hum.severity, hum.source)
    save_probe(fitted, tmp_path, "f1")
    np.testing.assert_array_equal(load_probe(tmp_path).predict(train.x), fitted.predict(train.x))


def test_another_encoder_is_refused(probe: Probe, test: Embedded, tmp_path: Path) -> None:
    probe.save(tmp_path)
    with pytest.raises(FingerprintError, match=r"'f1'.*'f2'"):
        Probe.load(tmp_path, "f2")
    with pytest.raises(FingerprintError):
        probe.classify(test.x[0], fingerprint="f2")
    with pytest.raises(ParameterError, match="classify_batch"):
        probe.classify(test.x)
    with pytest.raises(ParameterError, match="fingerprint"):
        Probe(probe.type, probe.severity, "").save(tmp_path)


@pytest.mark.parametrize("name", ["probe.safetensors", "probe.json"])
def test_damaged_files(probe: Probe, tmp_path: Path, name: str) -> None:
    probe.save(tmp_path)
    path = tmp_path / name
    content = path.read_bytes()
    for new in (b"", content[: len(content) // 2], content[:-3], b"\xff" * 200, b"[]", None):
        path.unlink() if new is None else path.write_bytes(new)
        with pytest.raises(StorageError):
            Probe.load(tmp_path)


def test_hostile_arrays_under_a_true_hash(probe: Probe, tmp_path: Path) -> None:
    probe.save(tmp_path)
    path = tmp_path / "probe.safetensors"
    good = load_file(path)
    bad: list[bytes | dict] = [
        b"\xff" * 100,
        {},
        good | {"type.weights": good["type.weights"][:, :-1]},
        good | {"type.weights": good["type.weights"][:-1]},
        good | {"type.bias": good["type.bias"] * np.nan},
        good | {"severity.hum.weights": good["severity.hum.weights"][:, None]},
        good | {"type.weights": good["type.weights"].astype(np.int64)},
    ]
    for new in bad:
        path.write_bytes(new) if isinstance(new, bytes) else save_file(new, path)
        write_json(tmp_path / "probe.json", read_json(tmp_path / "probe.json") | {"sha256": sha256(path)})
        with pytest.raises(StorageError):
            Probe.load(tmp_path)


@pytest.mark.parametrize(
    "change",
    [{"version": 2}, {"fingerprint": 3}, {"probe": None}, {"probe": {}}, {"probe": {"kind": "bundle", "type": 1}}],
)
def test_an_inconsistent_record_is_refused(probe: Probe, tmp_path: Path, change: dict) -> None:
    probe.save(tmp_path)
    write_json(tmp_path / "probe.json", read_json(tmp_path / "probe.json") | change)
    with pytest.raises(StorageError):
        Probe.load(tmp_path)
    with pytest.raises(StorageError):
        load_probe(tmp_path)
