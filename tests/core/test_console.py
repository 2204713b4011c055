"""What scripts print: tables, names literally, progress."""

from __future__ import annotations

import pytest

from contrastive_artifacts.core.console import console, table, track


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")


def test_a_table_shows_its_cells(capsys):
    table("figures", ["name", "n"], [["hum", 3], ["clicks", None]])
    output = capsys.readouterr().out
    for cell in ("figures", "name", "hum", "3", "clicks", "None"):
        assert cell in output


def test_names_are_shown_literally(capsys):
    name = "a[/b] [live] :smile: \x1b[31m\u202e\udcff 文.flac"
    shown = r"a[/b] [live] :smile: \x1b[31m\u202e\udcff 文.flac"
    table(f"{name}: 3", ["name"], [[name]])
    console.print(name)
    assert capsys.readouterr().out.count(shown) == 3
    assert list(track([1, 2], "[/b]")) == [1, 2]
    assert capsys.readouterr().out == ""
