"""The console command, from a checkout and from an installed wheel."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from contrastive_artifacts import cli
from contrastive_artifacts.models.backbones import BACKBONES

ROOT = Path(__file__).parent.parent
COMMAND = "from contrastive_artifacts.cli import main; main()"


def command(*arguments: str, code: str = COMMAND, cwd: Path, path: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(path), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=cwd, env=environment, timeout=120
    )


def test_every_script_is_a_verb_that_says_what_it_does():
    scripts = {path.stem for folder in ("scripts", "analysis") for path in (ROOT / folder).glob("*.py")}
    assert set(cli.verbs()) == scripts >= {"pretrain", "probe", "embedding_map"}
    for verb, path in cli.verbs().items():
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert f"python {path.parent.name}/{verb}.py" in first, f"{path}: the first line shows how it is called"


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], []])
def test_help_lists_the_verbs(monkeypatch, capsys, arguments):
    monkeypatch.setattr(sys, "argv", ["contrastive-artifacts", *arguments])
    cli.main()
    said = capsys.readouterr().out
    assert "usage: contrastive-artifacts" in said
    assert all(verb in said for verb in cli.verbs())


def test_an_unknown_verb_is_named(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["contrastive-artifacts", "pretain"])
    with pytest.raises(SystemExit, match=r"no verb 'pretain'.*pretrain"):
        cli.main()


def test_a_verb_runs_from_any_folder(tmp_path):
    done = command("pretrain", "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "backbone: " in done.stdout  # the configuration groups were found
    assert list(tmp_path.iterdir()) == []


def test_backbones_are_listed_with_their_licences(tmp_path):
    done = command("backbones", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in BACKBONES)
    one = command("backbones", "mn04", cwd=tmp_path).stdout
    assert "899a8c62" in one
    assert "https://github.com/fschmid56" in one
    wrong = command("backbones", "mn44", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "Did you mean mn40 or mn04" in wrong.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    if importlib.util.find_spec("hatchling") is None or importlib.util.find_spec("pip") is None:
        pytest.skip("building a wheel needs pip and hatchling: pip install -e '.[dev]'")
    folder = tmp_path_factory.mktemp("wheel")
    build = ["wheel", str(ROOT), "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", *build], check=True)
    return next(folder.glob("*.whl"))


@pytest.mark.slow
def test_the_wheel_holds_everything_that_runs(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "contrastive_artifacts"
    expected = {str(p.relative_to(ROOT)) for p in package.rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    assert {"contrastive_artifacts/py.typed", "contrastive_artifacts/core/html/base.js"} <= expected
    for folder in ("scripts", "configs", "analysis"):
        files = [p for suffix in ("py", "yaml") for p in (ROOT / folder).rglob(f"*.{suffix}")]
        assert files
        expected |= {f"contrastive_artifacts/_app/{p.relative_to(ROOT)}" for p in files}
    assert sorted(expected - names) == []
    extra = sorted(name for name in names - expected if ".dist-info/" not in name)
    assert extra == []
    assert {"LICENSE", "NOTICE"} <= {Path(name).name for name in names}


@pytest.mark.slow
def test_the_installed_command_runs_its_own_scripts(wheel, tmp_path):
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    install = ["install", "--quiet", "--no-deps", "--no-index", "--no-compile", "--target", str(site), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True)
    entry = site / "bin" / "contrastive-artifacts"
    assert entry.is_file()
    where = command(
        code="from contrastive_artifacts import cli; print(*cli.verbs().values())", cwd=elsewhere, path=site
    )
    assert all(Path(p).is_relative_to(site / "contrastive_artifacts" / "_app") for p in where.stdout.split())
    runs = f"import runpy; runpy.run_path({str(entry)!r}, run_name='__main__')"
    for verb in ("pretrain", "embedding_map"):
        done = command(verb, "--help", code=runs, cwd=elsewhere, path=site)
        assert done.returncode == 0, done.stderr
        assert "run: " in done.stdout
    assert list(elsewhere.iterdir()) == []
