"""The shape of the code: imports go only downwards, and some things are imported nowhere."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from contrastive_artifacts import artifacts

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "contrastive_artifacts"
NAME = PACKAGE.name
ROOMS = (  # along the path of the data; a room imports from those before it
    *("core", "audio", "artifacts", "models", "data", "training", "probes", "embedding", "scan", "search", "runs"),
    *("pages", "adapters"),
)
DOORS = (NAME, "cli")  # the public surface and the command line: they import rooms, no room imports them
SHIPPED = [path for folder in (NAME, "scripts", "analysis", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
TESTS = sorted((ROOT / "tests").rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute dotted name of everything that a file imports, wherever in the file."""
    within = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = within[: len(within) - node.level] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def rooms(path: Path) -> Iterator[tuple[int, str]]:
    """Line and room of everything of this package that a file imports."""
    for line, name in imported(path):
        package, *rest = name.split(".")
        if package == NAME:
            yield line, rest[0] if rest else NAME


def room_of(path: Path) -> str:
    inside = path.relative_to(PACKAGE)
    return NAME if inside == Path("__init__.py") else inside.parts[0].removesuffix(".py")


def importers(paths: Iterable[Path], *modules: str) -> list[str]:
    """Every import of one of the top-level modules, as ``file:line name``."""
    found = [(path, line, name) for path in paths for line, name in imported(path) if name.split(".")[0] in modules]
    return [f"{path.relative_to(ROOT)}:{line} {name}" for path, line, name in found]


def test_the_house_has_these_rooms() -> None:
    assert {room_of(path) for path in PACKAGE.rglob("*.py")} == {*ROOMS, *DOORS}


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_only_downwards(room: str) -> None:
    below = {*ROOMS[: ROOMS.index(room)], room}
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {other}, which is not below {room}"
        for path in sorted((PACKAGE / room).rglob("*.py"))
        for line, other in rooms(path)
        if other not in below
    ]
    assert not wrong, "\n".join(wrong)


def test_signal_processing_imports_no_artifact() -> None:
    kinds = f"{NAME}.artifacts.kinds"
    for path in sorted((PACKAGE / "artifacts" / "dsp").rglob("*.py")):
        assert not [name for _, name in imported(path) if name.startswith(kinds)], path


def test_an_artifact_is_one_file_named_after_it() -> None:
    """But those of ``kinds/sonicmaster``, whose files hold families."""
    modules = {name: type(artifacts.artifact(name)).__module__ for name in artifacts.names()}
    kinds = f"{NAME}.artifacts.kinds."
    single = {name: module for name, module in modules.items() if not module.startswith(f"{kinds}sonicmaster.")}
    assert single == {name: f"{kinds}{name}" for name in single}
    stems = {path.stem for path in (PACKAGE / "artifacts" / "kinds").glob("*.py")} - {"__init__"}
    assert stems == set(single), "a file of kinds that registers no artifact"


def test_a_page_imports_from_no_other_page() -> None:
    """What several pages use stands in pages/shared; their scripts follow the same rule as their Python."""
    pages = PACKAGE / "pages"
    wrong = []
    for path in sorted(pages.rglob("*.py")):
        page, *rest = path.relative_to(pages).parts
        allowed = (f"{NAME}.pages.shared", f"{NAME}.pages.{page}")
        for line, name in imported(path):
            if rest and name.startswith(f"{NAME}.pages.") and not name.startswith(allowed):
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    for path in sorted(pages.rglob("*.js")):
        page = path.relative_to(pages).parts[0]
        for name in re.findall(r'^import .*?"([^"]+)";', path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            module = (path.parent / name).resolve()
            if module.is_relative_to(pages) and module.relative_to(pages).parts[0] not in ("shared", page):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_using_an_encoder_loads_no_training() -> None:
    uses = f"import sys, {NAME} as ca\nca.load, ca.scan, ca.Index\n"
    code = f"{uses}print(*(name for name in sys.modules if name.startswith('{NAME}.')))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    modules = {name.removeprefix(f"{NAME}.") for name in loaded.split()}
    assert {"models.encoder", "models.backbones", "probes"} <= modules
    unused = ("training", "models.objectives", "runs", "pages", "adapters")
    assert not {name for name in modules if name.startswith(unused)}


def test_only_entry_points_configure_and_plot() -> None:
    scripts = [path for path in SHIPPED if path.relative_to(ROOT).parts[0] in ("scripts", "analysis")]
    command_line = [path for path in SHIPPED if path.parent == PACKAGE / "cli"]
    rest = [path for path in SHIPPED if path not in (*scripts, *command_line)]
    assert importers([*rest, *command_line], "matplotlib") == []
    assert importers([*rest, *scripts], "hydra", "omegaconf") == []


def test_nothing_is_unpickled() -> None:
    assert importers(SHIPPED, "pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal") == []
    for path in SHIPPED:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert ast.unparse(node.value) == "False", f"{path}:{node.value.lineno}"


def test_torch_load_takes_weights_only_and_stands_in_converters() -> None:
    for path in [*SHIPPED, *TESTS]:
        assert not {name for _, name in imported(path)} & {"torch.load", "torch.hub.load"}
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("torch.load", "torch.hub.load"):
                options = {k.arg: ast.unparse(k.value) for k in node.keywords}
                assert options.get("weights_only") == "True", f"{path}:{node.lineno}"
                converts = path.name.endswith("_convert.py") or path.name == "published.py"  # reads for all of them
                assert path in TESTS or converts, f"{path}:{node.lineno}: use safetensors"


def test_files_stay_short() -> None:
    pages = [path for suffix in ("js", "css", "html") for path in PACKAGE.rglob(f"*.{suffix}")]
    lines = {str(path): len(path.read_text(encoding="utf-8").splitlines()) for path in [*SHIPPED, *TESTS, *pages]}
    assert {path: n for path, n in lines.items() if n > 400} == {}


def test_no_script_hides_a_module() -> None:
    """Python looks for modules beside the script first: scripts/umap.py would be what ``import umap`` finds."""
    known = {name.split(".")[0] for path in SHIPPED for _, name in imported(path)} | set(sys.stdlib_module_names)
    scripts = [path.stem for folder in ("scripts", "analysis") for path in (ROOT / folder).glob("*.py")]
    assert scripts
    assert not set(scripts) & known
    assert len(scripts) == len(set(scripts)), "verbs are file names: each may stand in one folder only"


def test_the_rules_can_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import is seen in each of its forms."""
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    path = tmp_path / NAME / "probes" / "new.py"
    path.parent.mkdir(parents=True)
    path.write_text(
        "from .. import run\nfrom ..training.loop import Result\nfrom .data import names\nfrom . import knn\n"
        f"def f():\n    import {NAME}.scan\n    from {NAME} import views\n    import numpy.linalg\n"
    )
    assert [room for _, room in rooms(path)] == ["run", "training", "probes", "probes", "scan", "views"]
    assert (8, "numpy.linalg") in list(imported(path))
