"""Requests: what is tried again, how long is waited, what is no answer."""

from __future__ import annotations

import json
import time
import urllib.error
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import format_datetime
from io import BytesIO

import pytest
from archive_server import ArchiveServer, serving

from contrastive_artifacts.core import web
from contrastive_artifacts.core.errors import DownloadError


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, which take no time here."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


@pytest.fixture
def server() -> Iterator[ArchiveServer]:
    with serving() as running:
        yield running


def refusal(status: int, retry_after: str | None = None) -> urllib.error.HTTPError:
    headers = Message()
    if retry_after is not None:
        headers["Retry-After"] = retry_after
    return urllib.error.HTTPError("http://x", status, "refused", headers, BytesIO())


def answers(*problems: Exception) -> tuple[list[Exception], str]:
    """What :func:`web.tried_again` returns after these problems, and those that were not met."""
    remaining = list(problems)

    def request() -> str:
        if remaining:
            raise remaining.pop(0)
        return "done"

    return remaining, web.tried_again(request)


def test_passing_troubles_are_tried_again_with_longer_pauses(pauses: list[float]) -> None:
    assert answers(refusal(503), ConnectionResetError(), refusal(429))[1] == "done"
    assert pauses == [1, 2, 4]


@pytest.mark.parametrize("problem", [refusal(404), refusal(403), urllib.error.URLError("no route")])
def test_lasting_troubles_are_not(pauses: list[float], problem: Exception) -> None:
    with pytest.raises(OSError, match=r"refused|no route"):
        answers(problem)
    assert pauses == []


def test_attempts_are_limited(pauses: list[float]) -> None:
    with pytest.raises(ConnectionResetError, match="last"):
        answers(*[ConnectionResetError()] * (web.ATTEMPTS - 1), ConnectionResetError("last"), refusal(404))
    assert len(pauses) == web.ATTEMPTS - 1


def test_the_server_says_how_long_to_wait(pauses: list[float]) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    answers(refusal(503, "30"), refusal(429, soon), refusal(503, "Sun, 06 Nov 1994 08:49:37 GMT"))
    assert pauses[0] == 30
    assert 60 < pauses[1] <= 90
    assert pauses[2] == 4
    pauses.clear()
    for value in ("soon", "-3", "1e9", "²", "", "Sun, 06 Nov 1994 08:49:37"):
        answers(refusal(503, value))
    assert set(pauses) == {1}
    with pytest.raises(OSError, match="asks to wait 3600 s"):
        answers(refusal(503, "3600"))


def test_json_is_an_answer_and_a_page_is_none(server: ArchiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.items["a"] = {"x": [1]}
    assert web.get_json(f"{server.url}/metadata/a") == {"x": [1]}
    assert server.asked[0][1]["user-agent"].startswith("contrastive-artifacts/")
    server.bodies["a", "page"] = b"<html>slow down</html>"
    with pytest.raises(DownloadError, match="/download/a/page does not answer with JSON"):
        web.get_json(f"{server.url}/download/a/page")
    monkeypatch.setattr(web, "_LARGEST_JSON", 10)
    server.items["a"] = {"x": "y" * 10}
    with pytest.raises(DownloadError, match="more than 10 bytes"):
        web.get_json(f"{server.url}/metadata/a")


def test_half_an_answer_is_asked_for_again(server: ArchiveServer, pauses: list[float]) -> None:
    server.bodies["a", "x.json"] = json.dumps([1, 2]).encode()
    server.cuts = [2]
    assert web.get_json(f"{server.url}/download/a/x.json") == [1, 2]
    assert pauses == [1]
