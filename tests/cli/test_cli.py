"""The console command, from a checkout and from an installed wheel."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import contrastive_artifacts as ca
from contrastive_artifacts import cli
from contrastive_artifacts.cli.help import summary
from contrastive_artifacts.models.backbones import BACKBONES

ROOT = Path(__file__).parents[2]
COMMAND = "from contrastive_artifacts.cli import main; main()"


def command(*arguments: str, code: str = COMMAND, cwd: Path, path: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(path), "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=cwd, env=environment, timeout=120
    )


def test_every_script_is_a_verb():
    scripts = {path.stem for folder in ("scripts", "analysis") for path in (ROOT / folder).glob("*.py")}
    assert set(cli.verbs()) == scripts >= {"pretrain", "probe", "embedding_map"}


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], []])
def test_help_lists_the_verbs_with_what_they_do(monkeypatch, capsys, arguments):
    monkeypatch.setattr(sys, "argv", ["contrastive-artifacts", *arguments])
    cli.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "usage: contrastive-artifacts VERB [setting=value ...]"
    for verb, path in cli.verbs().items():
        (line,) = [line for line in lines if line.split()[:1] == [verb]]
        assert summary(path) in line


def test_the_version(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["contrastive-artifacts", "--version"])
    cli.main()
    assert capsys.readouterr().out == f"contrastive-artifacts {ca.__version__}\n"


def test_an_unknown_verb_is_helped(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["contrastive-artifacts", "pretain"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "no verb 'pretain'; did you mean pretrain" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["scan", "pretrain", "backbones", "embedding_map"])
def test_help_of_a_verb_is_quick_and_the_same_for_its_script(verb, tmp_path):
    """It imports nothing heavy: a time limit would measure the machine."""
    code = (
        "import sys\nfrom contrastive_artifacts.cli import main\ntry:\n    main()\nfinally:\n"
        "    print(*({'torch', 'numpy', 'hydra', 'matplotlib'} & set(sys.modules)))"
    )
    done = command(verb, "--help", code=code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    text, loaded = done.stdout[:-1].rsplit("\n", 1)
    assert loaded == ""
    assert f"usage: contrastive-artifacts {verb}" in text
    script = cli.verbs()[verb]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    again = subprocess.run([sys.executable, script, "-h"], capture_output=True, text=True, env=environment, check=True)
    called = f"python {script.parent.name}/{verb}.py"
    assert again.stdout.replace(called, "X") == text.replace(f"contrastive-artifacts {verb}", "X") + "\n"
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
    assert "Did you mean mn40, mn04" in wrong.stderr


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
        assert "Settings (setting=default):" in done.stdout
    assert list(elsewhere.iterdir()) == []
