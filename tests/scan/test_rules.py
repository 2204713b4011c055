"""Rules of fail_on: what they compare, and what is refused before anything is scanned."""

from __future__ import annotations

import pytest

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.scan.rules import broken_rules, parse_rules
from contrastive_artifacts.scan.summary import FileSummary

LABELS = ("clipping", "dropout", "mine")
FILES = [
    FileSummary("bad.wav", "bad.wav", reason="it is empty"),
    FileSummary("a.wav", "a.wav", 0, duration_s=9.0, counts={"clipping": 2}, severities={"clipping": 0.5}),
    FileSummary("b.wav", "b.wav", 0, duration_s=9.0, counts={"dropout": 1, "mine": 3}, severities={"dropout": 0.75}),
    FileSummary("c.wav", "c.wav", 0, duration_s=9.0),
]


def sentences(text: str) -> list[str]:
    return list(broken_rules(parse_rules(text, LABELS), FILES))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("clipping>0.5", []),
        ("clipping>=0.5", ["a.wav: clipping of severity 0.50 (rule clipping>=0.5)"]),
        ("clipping>=2", ["a.wav: 2 segments of clipping (rule clipping>=2)"]),
        ("clipping>2", []),
        ("clipping>=0.0", ["a.wav: clipping of severity 0.50 (rule clipping>=0.0)"]),
        ("any>.6", ["b.wav: dropout of severity 0.75 (rule any>0.6)"]),
        ("any>3", ["b.wav: 4 segments of artifacts (rule any>3)"]),
        ("mine>0.1", []),
        ("mine>2", ["b.wav: 3 segments of mine (rule mine>2)"]),
        ("unreadable>0", ["bad.wav: cannot be scanned: it is empty (rule unreadable>0)"]),
    ],
)
def test_a_point_compares_severity_and_none_counts(rule: str, expected: list[str]) -> None:
    assert sentences(rule) == expected


def test_several_rules_are_held_against_each_recording() -> None:
    assert len(sentences("unreadable>=1  clipping>=1 dropout>0.7\nmine>=9")) == 3
    assert parse_rules(None, LABELS) == parse_rules(" ", LABELS) == []


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("cliping>0.5", r"no artifact 'cliping'; did you mean clipping\? Known: clipping, dropout, mine, any, unread"),
        ("clipping", r"'clipping' is no rule; write NAME>SEVERITY"),
        ("clipping > 0.5", "'clipping' is no rule"),
        ("clipping<0.5", "is no rule"),
        ("clipping>-1", "is no rule"),
        ("clipping>1.5", "nothing breaks 'clipping>1.5'"),
        ("clipping>1.0", "nothing breaks"),
        ("clipping>=0", r"every recording breaks 'clipping>=0'; write clipping>=1"),
        ("unreadable>0.5", "has no severity of that; write unreadable>=1"),
    ],
)
def test_what_cannot_be_meant_is_refused(rule: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        parse_rules(rule, LABELS)
