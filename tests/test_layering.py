"""The shape of the code: imports go only downwards, and some things are imported nowhere."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "contrastive_artifacts"
NAME = PACKAGE.name
LEVELS: dict[float, tuple[str, ...]] = {  # a part imports from lower levels only, so parts of one level never meet
    0.0: ("_torchaudio", "cli", "errors", "level", "seeding", "windows"),
    0.1: ("console", "decoding", "files", "journal", "pages", "registry", "serving"),
    0.2: ("download", "media"),
    0.3: ("audio",),
    0.4: ("picture",),
    1.0: ("artifacts", "frontends", "slow"),
    2.0: ("backbones", "objectives", "timeline"),
    3.0: ("corpora",),
    3.5: ("curation", "frame_head", "views"),
    4.0: ("dataset", "encoder"),
    4.5: ("context",),
    5.0: (
        "context_fitting",
        "onnx_file",
        "training",
    ),
    6.0: ("baselines", "embedding", "index", "probes"),
    6.5: ("context_embedding",),
    7.0: ("geometry", "inference", "labels", "long_range", "probing", "retrieval", "scan"),
    8.0: ("adapters", "run"),
    8.2: ("context_run",),
    8.5: ("comparing", "explorer"),
    9.0: (NAME,),  # the public surface
}
LEVEL = {part: level for level, parts in LEVELS.items() for part in parts}
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


def parts(path: Path) -> Iterator[tuple[int, str]]:
    """Line and part of the package (module or subpackage) of everything of this package that a file imports."""
    for line, name in imported(path):
        package, *rest = name.split(".")
        if package == NAME:
            yield line, rest[0] if rest else NAME


def part_of(path: Path) -> str:
    inside = path.relative_to(PACKAGE)
    return NAME if inside == Path("__init__.py") else inside.parts[0].removesuffix(".py")


def importers(paths: Iterable[Path], *modules: str) -> list[str]:
    """Every import of one of the top-level modules, as ``file:line name``."""
    found = [(path, line, name) for path in paths for line, name in imported(path) if name.split(".")[0] in modules]
    return [f"{path.relative_to(ROOT)}:{line} {name}" for path, line, name in found]


PARTS = sorted({part_of(path) for path in PACKAGE.rglob("*.py")})


def test_every_part_has_a_level() -> None:
    assert sorted(LEVEL) == PARTS, "put new parts into LEVELS, and take away what is gone"


@pytest.mark.parametrize("part", PARTS)
def test_imports_go_only_downwards(part: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {other} (level {LEVEL.get(other, '?')}), {part} is {LEVEL[part]}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if part_of(path) == part
        for line, other in parts(path)
        if other != part and not LEVEL.get(other, 99) < LEVEL[part]
    ]
    assert not wrong, "\n".join(wrong)


def test_using_an_encoder_loads_no_training() -> None:
    needs = {part: {other for path in PACKAGE.rglob("*.py") if part_of(path) == part for _, other in parts(path)}
             for part in PARTS}  # fmt: skip
    reached, todo = set(), ["inference", "scan", "index"]
    while todo:
        part = todo.pop()
        if part not in reached:
            reached.add(part)
            todo += needs[part]
    assert {"encoder", "backbones", "probes"} <= reached
    assert not reached & {"training", "objectives", "run", "probing"}


def test_only_entry_points_configure_and_plot() -> None:
    rest = [path for path in SHIPPED if path.parent.name not in ("scripts", "analysis")]
    assert importers(rest, "hydra", "omegaconf", "matplotlib") == []


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
    assert [part for _, part in parts(path)] == ["run", "training", "probes", "probes", "scan", "views"]
    assert (8, "numpy.linalg") in list(imported(path))
