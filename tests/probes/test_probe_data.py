from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from contrastive_artifacts.core.errors import ParameterError, SplitError, UnknownNameError
from contrastive_artifacts.probes import TASKS, Embedded, task_labels
from contrastive_artifacts.probes.data import grouped_folds, training_set


def test_tasks() -> None:
    artifact = ["clean", "hum", "clicks", "clean"]
    assert task_labels(artifact, "binary").tolist() == ["clean", "artifact", "artifact", "clean"]
    assert task_labels(artifact, "type").tolist() == artifact
    assert TASKS.names() == ("binary", "type")
    with pytest.raises(UnknownNameError, match="Did you mean binary"):
        task_labels(artifact, "binery")


def test_from_table_takes_one_split() -> None:
    table = pa.table(
        {
            "embedding": pa.FixedSizeListArray.from_arrays(pa.array(np.arange(12, dtype=np.float32)), 3),
            "artifact": ["clean", "hum", "hum", "clean"],
            "severity": pa.array([0, 0.5, 0.25, 0], pa.float32()),
            "source": ["a", "b", "c", "d"],
            "split": ["train", "test", "train", "test"],
        }
    )
    part = Embedded.from_table(table, "test")
    np.testing.assert_array_equal(part.x, [[3, 4, 5], [9, 10, 11]])
    assert part.artifact.tolist() == ["hum", "clean"]
    assert part.source.tolist() == ["b", "d"]
    assert part.severity.tolist() == [0.5, 0.0]
    assert len(Embedded.from_table(table)) == 4
    # A slice keeps an offset into the vectors, also when nothing is filtered.
    np.testing.assert_array_equal(Embedded.from_table(table.slice(1, 2)).x, [[3, 4, 5], [6, 7, 8]])
    assert Embedded.from_table(table, "validation").x.shape == (0, 3)
    with pytest.raises(ParameterError, match="lacks the columns severity"):
        Embedded.from_table(table.drop_columns(["severity"]))


@pytest.mark.parametrize(
    "change", [{"x": np.ones(3)}, {"x": [[np.nan], [1.0]]}, {"source": ["a"]}, {"severity": [0.0]}]
)
def test_what_does_not_fit_is_refused(change: dict) -> None:
    with pytest.raises(ParameterError):
        Embedded(
            **{"x": np.ones((2, 1)), "artifact": ["a", "b"], "severity": [0.0, 1.0], "source": ["a", "b"]} | change
        )


def test_folds_keep_sources_on_one_side_and_spread_classes(train: Embedded) -> None:
    folds = grouped_folds(train.artifact, train.source)
    assert sorted(np.concatenate([held for _, held in folds])) == list(range(len(train)))
    for fitted, held in folds:
        assert not set(train.source[fitted]) & set(train.source[held])
        assert set(train.artifact[fitted]) == set(train.artifact[held]) == {"clean", "hiss", "hum", "clicks"}


def test_a_split_by_window_is_refused() -> None:
    labels = np.array(["a", "b"] * 5)
    with pytest.raises(SplitError, match="one source"):
        grouped_folds(labels, np.array(["only"] * 10))
    with pytest.raises(SplitError, match="two sources"):
        grouped_folds(labels, np.array(["first", "second"] * 5))


def test_training_order_does_not_depend_on_the_callers(train: Embedded) -> None:
    order = np.random.default_rng(0).permutation(len(train))
    mixed = train.take(order)
    straight = training_set(train.x, train.artifact, train.source)
    for a, b in zip(straight, training_set(mixed.x, mixed.artifact, mixed.source), strict=True):
        np.testing.assert_array_equal(a, b)
