"""Tables of embeddings become frames of pandas and polars, and their vectors come back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from contrastive_artifacts.embedding.table import COLUMNS, make_table, read_table, table_vectors, write_table
from contrastive_artifacts.scan import Segment


@pytest.fixture
def path(tmp_path: Path) -> Path:
    rows: list[dict[str, Any]] = [
        {name: f"{name} {number}" for name in COLUMNS} | {"severity": number / 4, "start": number, "stop": number + 10}
        for number in range(4)
    ]
    vectors = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)
    write_table(
        tmp_path / "z.parquet", make_table([row | {"sample_rate": 8000} for row in rows], vectors, "f" * 8, "z")
    )
    return tmp_path / "z.parquet"


def test_a_table_is_a_frame_of_pandas(path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed: pip install pandas")
    table = read_table(path)
    for frame in (table.to_pandas(), pandas.read_parquet(path)):
        assert list(frame.columns) == table.column_names
        assert frame["artifact"].tolist() == table["artifact"].to_pylist()
        np.testing.assert_array_equal(np.stack(frame["embedding"]), table_vectors(table))
    back = pa.Table.from_pandas(table.to_pandas(), schema=table.schema)
    np.testing.assert_array_equal(table_vectors(back), table_vectors(table))


def test_a_table_is_a_frame_of_polars(path: Path) -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed: pip install polars")
    table = read_table(path)
    for frame in (polars.from_arrow(table), polars.read_parquet(path)):
        assert frame.columns == table.column_names
        np.testing.assert_array_equal(frame["embedding"].to_numpy(), table_vectors(table))
        assert frame.filter(polars.col("severity") >= 0.5)["start"].to_list() == [2, 3]


def test_segments_are_a_frame_of_pandas() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed: pip install pandas")
    frame = pandas.DataFrame([Segment(0, 800, "hum", 0.5, 0.9), Segment(900, 1000, "hiss", 0.1, 0.7)])
    assert frame["label"].tolist() == ["hum", "hiss"]
    assert frame["stop"].tolist() == [800, 1000]
