"""What the tests of the pages do with a browser; selenium is imported when it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@contextmanager
def serving(verb: str, *arguments: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process of a script that serves a page, and the address that it prints, killed at the end."""
    command = [sys.executable, str(SCRIPTS / f"{verb}.py"), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder)
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("page"):
                break
        else:
            pytest.fail("".join(lines))
        yield process, line.split()[1]
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def state(browser: Any) -> dict[str, str]:
    """The data attributes of the body, by which the pages say what their canvases show."""
    return browser.execute_script("return {...document.body.dataset}")


def wait(browser: Any, condition: Callable[[], object]) -> None:
    """Returns as soon as a condition holds; after 15 s the test fails and shows the state of the page."""
    end = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < end, state(browser)
        time.sleep(0.05)


def press(browser: Any, *keys: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(browser).send_keys(*keys).perform()


def forget_logs(browser: Any) -> None:
    """What earlier pages logged is not of this test."""
    browser.get_log("browser"), browser.get_log("performance")


def assert_quiet(browser: Any, address: str) -> None:
    """Nothing on the console, and no request but to the page's own address and below it."""
    assert browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    requests = [e["params"] for e in events if e["method"] == "Network.requestWillBeSent"]
    # Chromium's own first tab requests things too; those belong to a chrome:// document.
    addresses = [r["request"]["url"] for r in requests if not r["documentURL"].startswith("chrome")]
    assert addresses
    assert all(requested.startswith(address) for requested in addresses), "nothing from elsewhere"
