"""The manual: pages are in its navigation, generated ones are complete, links lead to files, Python blocks run."""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import yaml
from loading import loaded
from matplotlib.image import imread

import contrastive_artifacts as ca
from contrastive_artifacts import audio, cli
from contrastive_artifacts.cli.configs import compose
from contrastive_artifacts.data import corpora

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = {str(path.relative_to(ROOT)): path for path in [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]}
GENERATED = ("reference/verbs.md", "reference/settings.md", "reference/artifacts.md")
BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[^>]*?) -->\n)?^```(?P<kind>python|sh)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
RUN = re.compile(r"^contrastive-artifacts ", re.MULTILINE)


def blocks(path: Path) -> list[tuple[str, str, str]]:
    """Mark, kind and code of each block that can be run: Python, and shell marked ``<!-- run -->``."""
    every = [(m["mark"] or "", m["kind"], m["code"]) for m in BLOCK.finditer(path.read_text(encoding="utf-8"))]
    return [(mark, kind, code) for mark, kind, code in every if kind == "python" or mark == "run"]


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    pytest.importorskip("mkdocs", reason="mkdocs is not installed: pip install 'contrastive-artifacts[docs]'")
    return loaded(ROOT / "manual" / "hooks.py")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """A folder with what the examples name: clip.wav, film.mp4 and recordings/; the variables that they use."""
    monkeypatch.chdir(tmp_path)
    corpus = corpora.create("builtin", sources=36, seed=1, duration_s=5.0)
    clips = {clip.category: clip for clip in corpus.clips}
    waveform, rate = corpus.load(clips["speech"])
    audio.write("clip.wav", waveform, rate)
    audio.write("film.wav", waveform, rate)
    Path("film.wav").rename("film.mp4")  # what a file holds decides how it is read, not its name
    Path("recordings").mkdir()
    for name in ("speech", "piano", "drums"):
        audio.write(f"recordings/{name}.wav", *corpus.load(clips[name]))
    return {"clips": [waveform[0]], "waveform": waveform[0], "rate": rate, "sample_rate": rate, "__name__": "example"}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, path in PAGES.items() if blocks(path)])
def test_examples_run(name: str, desk: dict[str, object], capsys: pytest.CaptureFixture[str]) -> None:
    for _, kind, code in blocks(PAGES[name]):
        if kind == "python":
            exec(compile(code, name, "exec"), desk)
        else:
            for line in filter(RUN.match, code.splitlines()):
                called(shlex.split(line, comments=True)[1:])
    if name == "README.md":
        printed = capsys.readouterr().out.strip()
        assert f"\n{printed}\n" in PAGES[name].read_text(encoding="utf-8"), printed


def called(words: list[str]) -> None:
    """Runs ``contrastive-artifacts`` with these words."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    program = "from contrastive_artifacts import cli; cli.main()"
    answer = subprocess.run([sys.executable, "-c", program, *words], env=environment, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr


def test_the_readme_is_short() -> None:
    assert len(PAGES["README.md"].read_text(encoding="utf-8").splitlines()) <= 120


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files(name: str) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", PAGES[name].read_text(encoding="utf-8")):
        path = (PAGES[name].parent / target).resolve()
        assert path.exists() or any(path == DOCS / page for page in GENERATED), target


def test_every_page_is_in_the_navigation(hooks: ModuleType) -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    nav = hooks.with_the_rest(yaml.safe_load(text)["nav"], DOCS)
    listed = hooks._pages(nav)
    assert len(listed) == len(set(listed))
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    assert pages - set(listed) == set()
    project = {f"project/{name.lower()}" for name in hooks.PROJECT}
    assert set(listed) - pages == {*GENERATED, *project} | {page for page in listed if page.endswith(".ipynb")}


def test_a_new_page_joins_the_guides(hooks: ModuleType, tmp_path: Path) -> None:
    for name in ("index.md", "known.md", "new.md"):
        (tmp_path / name).write_text("# Page")
    nav = [{"Home": "index.md"}, {"Guides": ["known.md"]}]
    assert hooks.with_the_rest(nav, tmp_path) == [{"Home": "index.md"}, {"Guides": ["known.md", "new.md"]}]


def test_links_of_root_files_are_moved(hooks: ModuleType) -> None:
    text = "[a](docs/map.png) [b](SECURITY.md) [c](https://x.org/docs/y)"
    assert hooks.from_root(text) == "[a](../map.png) [b](security.md) [c](https://x.org/docs/y)"


def test_every_setting_is_in_the_reference(hooks: ModuleType) -> None:
    pages = hooks.verb_pages.pages(ROOT / "configs")
    for verb in cli.verbs():
        assert f"\n## {verb} " in pages["reference/verbs.md"]
        composition = compose(ROOT / "configs", verb)
        for name, setting in composition.settings.items():
            page = "settings" if name.partition(".")[0] in composition.groups else "verbs"
            if setting.comment and not (page == "settings" and "." not in name):
                assert f"| `{name}` |" in pages[f"reference/{page}.md"], name


def test_every_artifact_has_a_section_and_a_picture(hooks: ModuleType) -> None:
    page = hooks.artifact_pages.page()
    for name in ca.artifacts():
        assert f"### {name} {{#{name}}}" in page
        assert all(f"| `{field}` |" in page for field in ca.artifact(name).fields)
    picture = imread(io.BytesIO(hooks.artifact_pages.picture("hum")))
    width = hooks.artifact_pages.FRAMES * hooks.artifact_pages.SCALE
    clean, damaged = picture[:, :width, :3], picture[:, -width:, :3]
    assert np.abs(damaged - clean)[-60:].mean() > 3 * np.abs(damaged - clean)[:60].mean()  # low bands are at the bottom


def test_public_names_are_in_the_reference() -> None:
    page = (DOCS / "reference" / "api.md").read_text(encoding="utf-8")
    shown = {line.rpartition(".")[2] for line in page.splitlines() if line.startswith("::: ")}
    assert set(ca._MODULES) - shown == set()
