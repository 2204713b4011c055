"""Advice: for every artifact, of a known stage, with the Atlas entry that its synonyms name."""

from __future__ import annotations

import pytest

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts.restoration import ADVICE, MEASURED, STAGES, advice

NO_ENTRY = {"channel_loss"}  # "AVAA channel errors" stands for several entries on single machines


def test_every_artifact_has_a_row_and_no_row_is_left_over() -> None:
    assert set(ADVICE) == set(artifacts.names())


@pytest.mark.parametrize("name", artifacts.names())
def test_a_row_is_complete(name: str) -> None:
    row = ADVICE[name]
    assert row.stage in STAGES
    assert STAGES[row.order - 1] == row.stage
    assert row.text.endswith(".")
    assert len(row.text) > 20
    in_atlas = any(term.startswith("AVAA ") for term in artifacts.artifact(name).synonyms)
    assert bool(row.entry) == (in_atlas and name not in NO_ENTRY)
    if row.entry:
        assert row.address == f"https://www.avartifactatlas.com/artifacts/{row.entry}.html"


def test_stages_are_in_the_order_of_work() -> None:
    order = [ADVICE[name].order for name in ("wow_flutter", "clipping", "clicks", "hum", "hiss", "reverb", "eq_warm")]
    assert order == sorted(order)
    assert ADVICE["clicks"].order < ADVICE["hiss"].order, "de-click before de-noise"


def test_measured_kinds_have_advice_and_labels_of_users_have_none() -> None:
    assert advice("digital clipping") == ADVICE["clipping"]
    assert set(MEASURED) == {"digital clipping", "digital silence"}
    assert advice("tape squeal") is None
