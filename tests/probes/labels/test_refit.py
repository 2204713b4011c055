"""Refitting by user labels, in archives and runs, with new labels; figures are of held-out sources."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression

from contrastive_artifacts.core.errors import FingerprintError, ParameterError
from contrastive_artifacts.core.seeding import generator
from contrastive_artifacts.probes import Embedded, Probe, SetProbe, accuracy
from contrastive_artifacts.probes.labels import RowLabel, refit

KINDS = ("clean", "hiss", "hum", "squeal")
KNOWN = KINDS[:3]
DIM = 24


def collection(
    sources: int, seed: int, split: str = "", known: bool = False, kinds=KINDS
) -> tuple[np.ndarray, pa.Table]:
    """Unit vectors and metadata of one row per source and kind; column ``truth`` is for the test alone."""
    rng, fixed = generator("refit", seed), generator("refit directions")
    directions = dict(zip(KINDS, fixed.standard_normal((len(KINDS), DIM)), strict=True))
    truth, source = np.tile(np.array(kinds), sources), np.repeat(np.arange(sources), len(kinds))
    x = 0.5 * np.stack([directions[str(n)] for n in truth]) + 0.5 * rng.standard_normal((sources, DIM))[source]
    x = x + 0.9 * rng.standard_normal(x.shape)
    severity = np.where(truth == "clean", 0.0, rng.uniform(0, 1, len(truth))).astype(np.float32)
    table = pa.table({
        "truth": truth, "artifact": truth if known else [""] * len(truth), "source": [f"{seed}/{n}" for n in source],
        "severity": severity, "split": [split] * len(truth),
    })  # fmt: skip
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), table


def row_label(action: str, label: str = "", artifact: str = "") -> RowLabel:
    return RowLabel(action, label, artifact, "ana", "", "", "", "enc", 0, {"artifact": artifact})


def truths(table: pa.Table, rows: Any) -> dict[int, RowLabel]:
    truth, artifact = table["truth"].to_pylist(), table["artifact"].to_pylist()
    return {int(n): row_label("relabel", truth[n], artifact[n]) for n in rows}


def accuracy_of(probe: Probe, x: np.ndarray, table: pa.Table, rows: Any = slice(None)) -> float:
    return accuracy(np.array(table["truth"].to_pylist())[rows], probe.type.predict(x[rows]))


@pytest.fixture(scope="module")
def run() -> tuple[np.ndarray, pa.Table]:
    return collection(120, 1, "train", known=True, kinds=KNOWN)


@pytest.fixture(scope="module")
def old(run) -> Probe:
    x, table = run
    return Probe.fit(Embedded(x, *(table[name].to_numpy() for name in ("artifact", "severity", "source"))), "enc")


def test_an_archive_with_a_label_that_the_probe_does_not_know(old):
    gains = []
    for seed in (2, 3, 4):
        x, table = collection(80, seed)
        result = refit(x, table, truths(table, range(60)), "enc", old)
        assert result.probe.classes == KINDS
        assert result.probe.fingerprint == "enc"
        assert (result.used, result.left_out) == (60, 0)
        rest = slice(60, None)
        gains.append(accuracy_of(result.probe, x, table, rest) - accuracy_of(old, x, table, rest))
        assert result.judgement.before
        assert result.judgement.after
        assert result.judgement.before["rows"] == result.judgement.after["rows"] == 60
        # The figures are those on other sources, within the error of 60 rows.
        assert abs(result.judgement.after["accuracy"] - accuracy_of(result.probe, x, table, rest)) < 0.2
        assert result.judgement.before["accuracy"] == accuracy_of(old, x, table, slice(0, 60)), (
            "the archive was never seen by the old one"
        )
    assert np.median(gains) > 0.08, gains


def test_after_is_measured_on_held_out_sources(old):
    """Random labels are learned by heart and help on no other source: the figures must show that."""
    x, table = collection(60, 5)
    rng = generator("chance")
    chance = {n: row_label("relabel", f"name{rng.integers(4)}") for n in range(len(x))}
    result = refit(x, table, chance, "enc", old)
    by_heart = np.mean([result.probe.type.predict(x[n : n + 1])[0] == label.label for n, label in chance.items()])
    assert result.judgement.after is not None
    assert by_heart > 0.35
    assert result.judgement.after["accuracy"] < 0.3


def test_rows_of_a_source_are_left_out_together(old):
    """One label per source: it is known from that source only, so no prediction can be right."""
    x, table = collection(12, 6)
    source_labels = {n: row_label("relabel", f"film{n // 4}") for n in range(len(x))}
    result = refit(x, table, source_labels, "enc", old)
    assert result.judgement.after is not None
    assert result.judgement.after["accuracy"] == 0.0


def test_one_source_gives_no_figures(old):
    x, table = collection(5, 7)
    result = refit(x, table, truths(table, range(4)), "enc", old)
    assert result.judgement.before is None
    assert result.judgement.after is None
    assert result.probe.classes == KINDS


def test_severity_probes_do_not_change(old):
    x, table = collection(20, 8)
    result = refit(x, table, truths(table, range(40)), "enc", old)
    assert result.probe.severity.keys() == {"hiss", "hum"}
    _, severities = result.probe.classify_batch(x, "enc")
    assert np.array_equal(severities[:, result.probe.classes.index("hum")], old.severity["hum"].predict(x))


def test_rejected_training_rows_are_left_out(run):
    """A sixth of the training rows has a wrong label; once users reject these rows, the probe is right."""
    x, table = run
    names = np.array(table["artifact"].to_pylist())
    spoiled = np.flatnonzero((np.arange(len(x)) % 2 == 0) & (names == "hum"))
    names[spoiled] = "hiss"
    wrong = table.set_column(table.column_names.index("artifact"), "artifact", pa.array(names))
    columns = [wrong[name].to_numpy() for name in ("artifact", "severity", "source")]
    misled = Probe.fit(Embedded(x, *columns), "enc")
    test_x, test_table = collection(80, 9, kinds=KNOWN)
    rejected = {int(n): row_label("reject", artifact="hiss") for n in spoiled}
    result = refit(x, wrong, rejected, "enc", misled)
    assert (result.used, result.left_out, result.judgement.after) == (0, len(spoiled), None)
    assert accuracy_of(result.probe, test_x, test_table) > accuracy_of(misled, test_x, test_table) + 0.1
    renamed = refit(x, wrong, {int(n): row_label("relabel", "hum", "hiss") for n in spoiled}, "enc", misled)
    assert accuracy_of(renamed.probe, test_x, test_table) > accuracy_of(misled, test_x, test_table) + 0.1
    assert renamed.judgement.before
    assert renamed.judgement.after
    assert renamed.judgement.after["accuracy"] > renamed.judgement.before["accuracy"] + 0.1
    assert not np.array_equal(renamed.probe.severity["hiss"].weights, misled.severity["hiss"].weights)


def test_training_rows_of_a_run_are_classified_without_their_sources(run, old):
    """The old probe was trained on these rows, which must not improve ``before``."""
    x, table = run
    noise = generator("noise").standard_normal(x.shape).astype(np.float32)  # rows that can only be learned by heart
    facts = [table[name].to_numpy() for name in ("artifact", "severity", "source")]
    rote = Probe.fit(Embedded(noise, *facts), "enc")
    rote = Probe(type(rote.type).fit(noise, facts[0], facts[2], strengths=(1e-4,)), rote.severity, "enc")
    assert accuracy_of(rote, noise, table) > 0.45
    labels = {n: row_label("keep", str(facts[0][n]), str(facts[0][n])) for n in range(300)}
    result = refit(noise, table, labels, "enc", rote)
    assert result.judgement.before
    assert result.judgement.after
    assert result.judgement.before["accuracy"] < 0.42
    assert result.judgement.after["accuracy"] < 0.42


def test_without_a_probe_one_is_fitted_on_the_labels():
    x, table = collection(40, 10)
    result = refit(x, table, truths(table, range(100)), "enc", None)
    assert result.probe.classes == KINDS
    assert result.judgement.before is None
    assert result.judgement.after
    assert result.judgement.after["accuracy"] > 0.5
    assert accuracy_of(result.probe, x, table, slice(100, None)) > 0.5
    with pytest.raises(ParameterError, match="3 sources"):
        refit(x, table, truths(table, range(8)), "enc", None)


def test_unfit_labels_are_refused(old):
    x, table = collection(3, 11)
    with pytest.raises(ParameterError, match="nothing to learn"):
        refit(x, table, {}, "enc", old)
    with pytest.raises(ParameterError, match="nothing to learn"):
        refit(x, table, {1: row_label("reject")}, "enc", old)
    with pytest.raises(ParameterError, match="give an index"):
        refit(x, table, {len(x): row_label("relabel", "hum")}, "enc", old)
    with pytest.raises(ParameterError, match="source"):
        refit(x, table.drop_columns(["source"]), truths(table, [0]), "enc", old)
    with pytest.raises(FingerprintError):
        refit(x, table, truths(table, [0]), "other", old)


@pytest.fixture(scope="module")
def old_sets() -> SetProbe:
    """Hears hiss and hum as the old probe of one label does, each by itself."""
    x, table = collection(120, 1, kinds=KNOWN)
    truth = np.array(table["truth"].to_pylist())
    fits = [LogisticRegression(C=100).fit(x, truth == name) for name in KNOWN]
    weights = np.concatenate([fit.coef_ for fit in fits]).astype(np.float32)
    bias = np.concatenate([fit.intercept_ for fit in fits]).astype(np.float32)
    return SetProbe(KNOWN, weights, bias, 0 * weights, 0 * bias, "enc")


def test_a_probe_of_label_sets_is_refitted(old_sets):
    gains = []
    for seed in (2, 3, 4):
        x, table = collection(80, seed)
        truth = np.array(table["truth"].to_pylist())
        labels = truths(table, range(200)) | {200: row_label("reject")}
        result = refit(x, table, labels, "enc", old_sets)
        assert isinstance(result.probe, SetProbe)
        assert result.probe.classes == (*KNOWN, "squeal")
        assert (result.used, result.left_out) == (200, 1)
        assert result.judgement.before
        assert result.judgement.after
        assert result.judgement.before["rows"] == result.judgement.after["rows"] == 200
        assert result.judgement.before["accuracy"] == pytest.approx((old_sets.predict(x) == truth)[:200].mean())
        held_out = slice(204, None)
        accuracies = [(p.predict(x) == truth)[held_out].mean() for p in (old_sets, result.probe)]
        gains.append(accuracies[1] - accuracies[0])
        assert abs(result.judgement.after["accuracy"] - accuracies[1]) < 0.2
        assert result.judgement.after["macro_f1"] > result.judgement.before["macro_f1"]
    assert np.median(gains) > 0.05, gains


def test_rows_of_several_faults_are_left_out_by_a_probe_of_one_label(old):
    x, table = collection(20, 12)
    labels = truths(table, range(40)) | {41: row_label("relabel", "hiss, hum")}
    result = refit(x, table, labels, "enc", old)
    assert (result.used, result.left_out) == (40, 1)
    assert result.probe.classes == KINDS
    with pytest.raises(ParameterError, match="nothing to learn"):
        refit(x, table, {41: row_label("relabel", "hiss, hum")}, "enc", old)


def test_ten_thousand_rows_take_seconds():
    rng = generator("many")
    names = np.array(["clean", "hiss", "hum", "clicks", "clipping", "dropout", "wow_flutter", "squeal"])
    kind, source = rng.integers(0, 8, 12_000), rng.integers(0, 400, 12_000)
    x = rng.standard_normal((8, 256))[kind] * 0.3 + 0.7 * rng.standard_normal((400, 256))[source]
    x = (x + rng.standard_normal(x.shape)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    table = pa.table({"source": source.astype(str), "truth": names[kind], "artifact": [""] * len(x)})
    few = kind[:1500] < 7
    old = Probe.fit(Embedded(x[:1500][few], names[kind[:1500][few]], np.zeros(few.sum()), source[:1500][few]), "enc")
    started = time.perf_counter()
    result = refit(x, table, truths(table, range(2000, 12_000)), "enc", old)
    assert time.perf_counter() - started < 20  # one or two seconds on an idle core
    assert result.used == 10_000
    assert result.judgement.after
    assert result.judgement.before
    assert result.judgement.after["accuracy"] > result.judgement.before["accuracy"]


def test_a_correction_that_costs_other_rows_is_judged_worse(run, old):
    """Every hum of some sources is called hiss: held-out sources follow, but the rows of known artifact tell."""
    x, table = run
    truth = np.array(table["truth"].to_pylist())
    rows = np.flatnonzero((truth == "hum") & (np.arange(len(x)) < 240))
    judged = refit(x, table, {int(n): row_label("relabel", "hiss", "hum") for n in rows}, "enc", old).judgement
    assert judged.known_before
    assert judged.known_after
    assert judged.known_before["rows"] == len(x) - len(rows), "rows that users labelled are not counted"
    assert judged.known_after["accuracy"] < judged.known_before["accuracy"] - 0.05
    assert judged.verdict == "worse"
    assert "rows whose artifact is known are wrong" in judged.losses[-1]


def test_labels_that_agree_are_counted_and_judged_the_same(old):
    x, table = collection(40, 13)
    heard = old.type.predict(x)
    labels = {n: row_label("keep", str(heard[n])) for n in range(60)}
    judged = refit(x, table, labels, "enc", old).judgement
    assert (judged.agreeing, judged.verdict, judged.losses) == (60, "same", [])
    contrary = refit(x, table, labels | {60: row_label("relabel", "squeal")}, "enc", old).judgement
    assert contrary.agreeing == 60
    one = refit(x, table, {0: labels[0]}, "enc", old).judgement
    assert one.verdict == "unknown"
