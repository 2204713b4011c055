"""Sections of a configuration against the types of what they configure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.core.typed import options, settings


@dataclass(frozen=True)
class Windows:
    length_s: float
    count: int = 1
    mode: Literal["mix", "each"] = "mix"
    loud: bool = False
    span: tuple[float, float] | None = None
    names: tuple[str, ...] = ()
    more: Mapping[str, int] | None = None
    path: str | Path | None = None


def test_values_are_checked_and_not_converted() -> None:
    section = {"length_s": 3, "span": [0, 1.5], "names": ["a"], "more": {"b": 2}, "path": Path("x")}
    windows = settings(Windows, section, "windows")
    assert windows == Windows(3, span=(0, 1.5), names=("a",), more={"b": 2}, path=Path("x"))
    assert isinstance(windows.length_s, int)  # records say 3, as the configuration did
    assert settings(Windows, {"count": 2}, "windows", length_s=1.0) == Windows(1.0, 2)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"lenth_s": 1.0}, r"windows has no setting 'lenth_s'; did you mean length_s\? It has: length_s, count"),
        ({"len": 1.0}, r"did you mean length_s\?"),
        ({"zzz": 1.0}, r"no setting 'zzz'\. It has"),
        ({}, r"windows\.length_s is not given; it must be a number\."),
        ({"length_s": "abc"}, r"windows\.length_s is 'abc'; it must be a number\."),
        ({"length_s": True}, "must be a number"),
        ({"length_s": None}, "must be a number"),
        ({"length_s": 1, "count": 1.5}, r"windows\.count is 1\.5; it must be a whole number\."),
        ({"length_s": 1, "count": True}, "must be a whole number"),
        ({"length_s": 1, "loud": 1}, "must be true or false"),
        ({"length_s": 1, "mode": "both"}, r"windows\.mode is 'both'; it must be one of mix, each\."),
        ({"length_s": 1, "span": [1]}, r"must be a list of 2: a number, a number or null"),
        ({"length_s": 1, "span": 1}, "must be a list of 2"),
        ({"length_s": 1, "names": "hum"}, "must be a list, each text"),
        ({"length_s": 1, "more": {"a": "b"}}, "must be a mapping"),
        ([1], r"windows is \[1\]; it must be a mapping of settings"),
    ],
)
def test_a_wrong_setting_is_named(section: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        settings(Windows, section, "windows")


def test_a_setting_that_the_caller_fixes_is_none_of_the_section() -> None:
    with pytest.raises(ParameterError, match=r"no setting 'count'"):
        settings(Windows, {"length_s": 1, "count": 2}, "windows", count=1)


def test_the_top_level_has_no_name() -> None:
    with pytest.raises(ParameterError, match=r"^length_s is 'x'"):
        settings(Windows, {"length_s": "x"}, "")
    with pytest.raises(ParameterError, match=r"^The configuration has no setting 'lngth_s'"):
        settings(Windows, {"lngth_s": 1}, "")


def test_functions_have_options() -> None:
    def cut(path: str | Path, rows: Mapping[str, Any] | None = None) -> None: ...

    assert options(cut, {"path": "a"}, "cut") == {"path": "a"}
    assert options(cut, {"path": "a", "more": 1}, "cut", {"more": int}) == {"path": "a", "more": 1}
    with pytest.raises(ParameterError, match=r"cut has no setting 'pth'; did you mean path\?"):
        options(cut, {"pth": "a"}, "cut")
    with pytest.raises(ParameterError, match=r"cut\.path is 3; it must be text or a path"):
        options(cut, {"path": 3}, "cut")
