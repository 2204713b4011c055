"""The collections that the explorer's tests share, and clients of their servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from explored import archive, sets, views

from contrastive_artifacts.core.journal import Journal
from contrastive_artifacts.pages.explorer.collection import Collection


@pytest.fixture(scope="module")
def browser(start_chromium: Callable[..., Any]) -> Any:
    return start_chromium("--use-angle=swiftshader", "--enable-unsafe-swiftshader")


@pytest.fixture
def page(browser: Any, url: str) -> Iterator[Any]:
    """The page of a module's ``url``, drawn; its console stays empty, and nothing comes from another server."""
    from browsing import assert_quiet
    from steered import open_page  # these need selenium

    open_page(browser, url)
    yield browser
    assert_quiet(browser, url)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """An archive of windows; see explored.archive."""
    return archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """Rendered views of a corpus; see explored.views."""
    return views(tmp_path_factory.mktemp("views"))


@pytest.fixture
def several(tmp_path: Path) -> Collection:
    """Windows that hold several artifacts at once; see explored.sets."""
    return sets(tmp_path)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "labels.jsonl") as opened:
        yield opened


@pytest.fixture
def recorded_api(recorded: Collection, journal: Journal) -> Any:
    from served import client  # needs the extra "serve"

    return client(recorded, journal)


@pytest.fixture
def rendered_api(rendered: Collection, journal: Journal) -> Any:
    from served import client

    return client(rendered, journal)
