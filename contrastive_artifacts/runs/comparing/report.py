"""The comparison as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Rows = Sequence[Mapping[str, Any]]
FIRST = (
    "name",
    "weights",
    "corpus",
    "sources",
    "folds",
    "linear",
    "linear_sd",
    "knn5",
    "knn5_sd",
    "severity_rho",
    "leak",
)
LAST = ("command", "commit", "note")
MARKED = ("random", "ours", "given", "trained")  # kinds of weights that the table names


def columns(rows: Rows) -> list[str]:
    """All keys of the rows: name, corpus and accuracy first, the note last."""
    keys = dict.fromkeys(key for row in rows for key in row)
    middle = [key for key in keys if key not in (*FIRST, *LAST)]
    return [*(key for key in FIRST if key in keys), *middle, *(key for key in LAST if key in keys)]


def markdown(rows: Rows, unseen: Sequence[str]) -> str:
    """A table in Markdown; names include the kind of weights where these are not the published ones."""
    heads: dict[str, Callable[[Mapping[str, Any]], str]] = {
        "": lambda row: f"{row['name']} ({row['weights']})" if row["weights"] in MARKED else row["name"],
        "linear": lambda row: _spread(row, "linear"),
        "kNN5": lambda row: _spread(row, "knn5"),
        "severity rho": lambda row: _number(row, "severity_rho"),
        "leak": lambda row: _number(row, "leak"),
    }
    for name in unseen:
        heads[f"linear, {name}"] = lambda row, key=f"linear_{name}": _number(row, key)  # type: ignore[misc]
        heads[f"kNN5, {name}"] = lambda row, key=f"knn5_{name}": _number(row, key)  # type: ignore[misc]
    heads |= {
        "sources": lambda row: _whole(row, "sources"),
        "ms per second": lambda row: f"{1000 * row['seconds_per_s']:.1f}",
        "of the processor": lambda row: f"{1000 * row['cpu_seconds_per_s']:.1f}",
        "x real time": lambda row: f"{row['times_real_time']:.3g}",
        "parameters": lambda row: f"{row['parameters'] / 1e6:.2f} M",
        "peak MB": lambda row: _whole(row, "peak_mb"),
        "vector": lambda row: str(row["embedding"]),
    }
    lines = [list(heads), ["---"] * len(heads), *([cell(row) for cell in heads.values()] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _number(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    return "-" if value is None else f"{value:.2f}"


def _spread(row: Mapping[str, Any], key: str) -> str:
    deviation = row.get(f"{key}_sd")
    return _number(row, key) + ("" if deviation is None else f" ± {deviation:.2f}")


def _whole(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    return "-" if value is None else str(value)
