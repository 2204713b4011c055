"""Label tracks that a person edited, and what they say of windows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contrastive_artifacts.core.errors import ParameterError, StorageError
from contrastive_artifacts.scan.corrections import Span, read_timeline, read_track, window_labels
from contrastive_artifacts.scan.measured import Finding, Measured
from contrastive_artifacts.scan.timeline import Segment, Timeline

RATE = 1000


def windows(count: int = 9, channel: int | None = None) -> list[dict[str, Any]]:
    """Windows of 2 s, one second apart."""
    return [{"start": n * RATE, "stop": (n + 2) * RATE, "sample_rate": RATE, "channel": channel} for n in range(count)]


def test_a_track_that_nobody_edited_is_what_was_scanned(tmp_path: Path) -> None:
    segments = (Segment(0, 3000, "hum", 0.5, 0.9), Segment(2000, 4000, "tape_squeal", None, 0.8, channel=1))
    measured = Measured((Finding(5, 9, "digital clipping", 3.0, "samples", 0),), 0, 0, 0, 0, (), (), None, None)
    timeline = Timeline(Path("a.wav"), RATE, 9000, segments, ("hum",), ((0, 5),), ((8, 90),), measured=measured)
    timeline.to_audacity(tmp_path / "t.txt")
    timeline.to_json(tmp_path / "t.json")
    expected = [Span(0, 3, "hum"), Span(2, 4, "tape_squeal", 1)]
    assert read_timeline(tmp_path / "t.json") == expected
    assert read_track(tmp_path / "t.txt", ["tape_squeal"]) == expected


def test_people_write_names_as_they_like(tmp_path: Path) -> None:
    lines = [
        "0\t1\tHum, tape dropout",
        "2.5\t2.5\tClicks and Pops",
        "\\\t100\t2000",
        "3\t4\tmotor_whirr",
        "5\t6\tclean",
    ]
    (tmp_path / "t.txt").write_text("\ufeff" + "\r\n".join(lines) + "\r\n\r\n", encoding="utf-8")
    assert [(span.start_s, span.name) for span in read_track(tmp_path / "t.txt")] == [
        *((0.0, "hum"), (0.0, "tape_dropout"), (2.5, "clicks"), (3.0, "motor_whirr"), (5.0, "clean")),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0\t1\thumm", "t.txt, line 2: there is no artifact 'humm'; did you mean hum"),
        ("0\t1", "t.txt, line 2: a label is names"),
        ("1\t0\thum", "t.txt, line 2: 1.0 to 0.0 s is no part of a recording"),
        ("0\tnan\thum", "is no part of a recording"),
        ("0,5\t1,5\thum", "t.txt, line 2 is no label: give seconds"),
        ("1\t2\tétrange", "t.txt, line 2: a label is names"),
    ],
)
def test_what_is_no_label_is_refused_with_its_line(line: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(f"0\t1\thum\n{line}\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=message):
        read_track(tmp_path / "t.txt")


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(StorageError, match=r"t\.txt cannot be read as a label track"):
        read_track(tmp_path / "t.txt")
    (tmp_path / "t.json").write_text("[]")
    with pytest.raises(StorageError, match=r"t\.json is no timeline"):
        read_timeline(tmp_path / "t.json")


def test_only_windows_under_labels_are_labelled() -> None:
    assert window_labels(windows(), [Span(0, 2, "hum")], []) == {0: "clean", 1: "clean"}, "the label was removed"
    assert window_labels(windows(), [], [Span(0, 2, "hum")]) == {0: "hum", 1: "hum"}, "it was added"
    assert window_labels(windows(), [Span(0, 2, "hum")], [Span(0, 2, "hiss")]) == {0: "hiss", 1: "hiss"}
    assert window_labels(windows(), [], [Span(4, 6, "clean")]) == {3: "clean", 4: "clean", 5: "clean"}
    both = [Span(0, 3, "hum"), Span(0, 3, "hiss"), Span(0, 3, "clean")]
    assert window_labels(windows(), [], both) == {0: "hiss, hum", 1: "hiss, hum", 2: "hiss, hum"}
    assert window_labels([], both, both) == {}


def test_windows_at_the_edge_of_a_label_are_left_out() -> None:
    assert window_labels(windows(), [], [Span(0, 3.6, "hum")]) == {0: "hum", 1: "hum", 2: "hum"}
    assert window_labels(windows(), [], [Span(2.5, 2.6, "clicks")]) == {1: "clicks", 2: "clicks"}
    assert window_labels(windows(), [], [Span(2.5, 2.5, "clicks")]) == {1: "clicks", 2: "clicks"}, "a point"
    assert 3 not in window_labels(windows(), [Span(3, 5, "hum")], [Span(0, 3.6, "hum")]), "unsure, not clean"


def test_channels_are_those_of_the_windows() -> None:
    spans = [Span(0, 2, "hum", 1)]
    assert window_labels(windows(1, channel=0), [], spans) == {}
    assert window_labels(windows(1, channel=1), [], spans) == {0: "hum"}
    assert window_labels(windows(1), [], spans) == {0: "hum"}, "a mix holds what a channel does"
    assert window_labels(windows(1, channel=0), [], [Span(0, 2, "hum")]) == {0: "hum"}


SPANS = st.lists(
    st.builds(
        lambda start, length, name: Span(start / 10, (start + length) / 10, name),
        st.integers(0, 90), st.integers(0, 60), st.sampled_from(["hum", "hiss", "clean"]),
    ),
    max_size=5,
)  # fmt: skip


@given(SPANS, SPANS)
def test_a_label_holds_only_what_a_person_put_there(before: list[Span], after: list[Span]) -> None:
    for row, label in window_labels(windows(), before, after).items():
        touching = {s.name for s in after if s.start_s <= row + 2 and s.stop_s >= row}
        assert set(label.split(", ")) <= touching | {"clean"}
        assert any(s.start_s <= row + 2 and s.stop_s >= row for s in [*before, *after])
