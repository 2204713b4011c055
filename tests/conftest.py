"""Small sounds and a small corpus that every test may use; no test reads data that it did not make."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib
import numpy as np
import pytest
import torch

from contrastive_artifacts.data import corpora
from contrastive_artifacts.data.corpora import Corpus

# Before MKL is first used: its Fourier transforms round alike on every CPU, or the golden numbers that lie near the
# noise floor of single precision would be those of one maker's CPUs only.
os.environ.setdefault("MKL_CBWR", "COMPATIBLE")
matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Whatever ran before in this process: sums by two threads are rounded otherwise than those of one."""
    torch.set_num_threads(1)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup() -> None:
    """The same for fixtures of a module or of the session, which are set up before :func:`one_thread`."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def small_corpus() -> Corpus:
    """Twelve built-in sources of one second at 16 kHz."""
    return corpora.create("builtin", seed=3, sources=12, duration_s=1.0, sample_rate=16000)


@pytest.fixture
def tone() -> np.ndarray:
    """One second of a 1 kHz sine at 44.1 kHz, amplitude 0.3: float32 [1, 44100]."""
    return (0.3 * np.sin(2 * np.pi * 1000 * np.arange(44100) / 44100)).astype(np.float32)[None]


@pytest.fixture(scope="module")
def start_chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Starts headless Chromium, 1366 x 768, with any more flags; keeps its console and its requests for get_log.

    Skips where Chromium, its driver (Debian: ``apt-get install chromium chromium-driver``) or selenium is missing.
    """
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
    from selenium.webdriver.chrome.service import Service

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("no chromium and chromedriver on PATH: apt-get install chromium chromium-driver")
    started = []

    def start(*flags: str) -> Any:
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for flag in (
            *("--headless=new", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio"),
            *("--window-size=1366,768", f"--user-data-dir={tmp_path_factory.mktemp('chromium')}", *flags),
        ):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        started.append(webdriver.Chrome(options=options, service=Service(driver)))
        return started[-1]

    yield start
    for browser in started:
        browser.quit()
