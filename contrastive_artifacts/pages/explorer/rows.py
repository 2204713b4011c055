"""Rows and the collection as JSON for the page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from numbers import Real
from typing import Any

from ...artifacts.taxonomy import catalog_places
from ...probes import CHANCE, SetProbe
from ...probes.label_sets import names_of
from ..shared.channels import names as channel_names
from ..shared.texts import parameter_rows
from .beside import channels_beside, nearest_clean
from .collection import CLEAN, ROW, Collection, channels_of
from .columns import TIME
from .searching import title_of
from .slices import file_of
from .tables import any_rendered, is_rendered

# Metadata that is shown elsewhere on the page or is not for users.
_ELSEWHERE = {ROW, TIME, "id", "params", "file", "start", "stop", "sample_rate", "channel", "stream"}
_ELSEWHERE |= {"artifact", "severity", "heard", "heard_severity", "heard_probability", "present", "clip"}


class Rows:
    """Describes a collection and its rows in texts and plain numbers."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        table = collection.index.metadata
        corpora = table.column("corpus").unique().to_pylist() if "corpus" in table.column_names else []
        self._has_clean = any_rendered(table) and any(name in collection.corpora for name in corpora)
        self._has_files = "file" in table.column_names and any(table.column("file").unique().to_pylist())

    def about(self) -> dict[str, Any]:
        """The collection: its columns, labels, encoder and map."""
        collection = self.collection
        columns = [column.about() for column in collection.columns.values()]
        names = [column["name"] for column in columns if column["kind"] != "many"]
        several = isinstance(collection.probe, SetProbe)
        preferred = ("artifact", "present" if several else "heard", "category")
        first = next((name for name in (*preferred, *names) if name in names), "")
        labels = list(collection.probe.classes) if collection.probe else list(collection.encoder.labels)
        return {
            "title": f"Explore {collection.title}",
            "count": len(collection),
            "columns": columns,
            "labels": collection.labels(),
            "places": catalog_places(collection.labels()),
            "colour": first,
            "has_clean": self._has_clean,
            "has_files": self._has_files,
            "encoder": {"name": collection.encoder_folder.resolve().name, "labels": labels, "sets": several},
            "map": {"method": collection.layout.method},
        }

    def facts(self, row: int) -> dict[str, Any]:
        """Everything that the page shows of a row."""
        collection = self.collection
        span, user_label = collection.span(row), collection.user_labels.get(row)
        facts = span.metadata
        rendered, rate = is_rendered(facts), facts["sample_rate"]
        label, known, heard = collection.label_of(row, facts), facts.get("artifact") or None, facts.get("heard") or None
        before, after = collection.adjacent(row)
        path = file_of(facts)
        channels = channels_of(path, facts.get("stream")) if path is not None and path in collection.roots else None
        channels = 1 if rendered or facts.get("channel") is not None else channels
        params = facts.get("params") or {}
        return {
            "row": row,
            "name": span.name,
            "time": span.time,
            "title": title_of(label, facts),
            "known": known,
            "severity": facts.get("severity") if known not in (None, CLEAN) else None,
            "heard": heard,
            "heard_severity": facts.get("heard_severity") if heard not in (None, CLEAN) else None,
            "heard_probability": facts.get("heard_probability") if heard else None,
            "also": _also(facts),
            "source": str(facts.get("source") or ""),
            "label": user_label.label if user_label else "",
            "decision": user_label.action if user_label else "",
            "by": user_label.who if user_label else "",
            "note": user_label.note if user_label else "",
            "facts": _facts(facts),
            "params": _parameters(params) if rendered else [],
            "seconds": (facts["stop"] - facts["start"]) / rate,
            "rate": rate,
            "channels": channels,
            "channel_names": channel_names(channels or 1),
            "beside": self._beside(row),
            "has_clean": rendered and known != CLEAN and facts.get("corpus") in collection.corpora,
            "clean_window": None if rendered else self._clean_window(row, facts),
            "previous": before,
            "next": after,
            "can_pad": path is not None,
        }

    def _clean_window(self, row: int, facts: Mapping[str, Any]) -> float | None:
        """Seconds from a row to the nearest clean window of its recording; None if there is none."""
        clean = nearest_clean(self.collection, row)
        return (
            None if clean is None else (self.collection.facts(clean)["start"] - facts["start"]) / facts["sample_rate"]
        )

    def _beside(self, row: int) -> list[dict[str, Any]]:
        """The verdicts on each channel of the row's samples, where the index has them."""
        rows = channels_beside(self.collection, row)
        facts = self.collection.many_facts(rows) if len(rows) > 1 else []
        return [
            {
                "row": at,
                "channel": of_row["channel"] + 1,
                "title": title_of(self.collection.label_of(at, of_row), of_row),
            }
            for at, of_row in zip(rows, facts, strict=False)
        ]


def _also(facts: Mapping[str, Any]) -> list[list[Any]]:
    """Further artifacts that are present beside the verdict, each with its chance, the most probable first."""
    others = [name for name in names_of(facts.get("present") or "") if name != facts.get("heard")]
    return sorted(([name, facts.get(f"{CHANCE}{name}")] for name in others), key=lambda pair: -(pair[1] or 0.0))


def _parameters(params: Any) -> list[list[str]]:
    """The parameters of a view in rows; none where they cannot be read."""
    try:
        return parameter_rows(json.loads(params) if isinstance(params, str) else params)
    except Exception:  # a row may hold anything
        return []


def _facts(facts: Mapping[str, Any]) -> list[list[str]]:
    channel = facts.get("channel")
    rows = [["recording", str(facts["clip"])], ["rate", f"{facts['sample_rate']} Hz"]]
    rows += [["samples", f"{facts['start']} to {facts['stop']}"]]
    rows += [["channel", str(channel + 1)]] if channel is not None else []
    rest = {name: value for name, value in facts.items() if name not in _ELSEWHERE and value not in (None, "")}
    return rows + [[name, _text(value)] for name, value in rest.items()]


def _text(value: Any) -> str:
    if isinstance(value, Real) and not isinstance(value, bool | int):
        return f"{float(value):.4g}"
    return str(value)[:500]
