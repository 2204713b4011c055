"""The script of a page: modules in order, each in its own scope; what does not fit is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.core.html.bundle import bundle


def write(folder: Path, **files: str) -> Path:
    """Modules by stem; the entry is main.js."""
    for stem, text in files.items():
        (folder / f"{stem}.js").write_text(text)
    return folder / "main.js"


def test_modules_run_once_in_order_and_share_no_names(start_chromium: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "low.js").write_text(
        "export const order = [];\norder.push('low');\nconst secret = 'low';\nexport const state = { count: 0 };\n"
    )
    entry = write(
        tmp_path,
        left=(
            'import { order, state } from "./sub/low.js";\norder.push("left");\nconst secret = "left";\n'
            "export function add() { state.count += 1; return later(); }\nfunction later() { return secret; }\n"
        ),
        right=(
            'import {\n  order,\n  state as counter,\n} from "./sub/low.js";\norder.push("right");\n'
            'const secret = "right";\nexport class Counter { get count() { return counter.count; } }\n'
            "export async function wait() { return secret; }\n"
        ),
        main=(
            'import { add } from "./left.js";\nimport { Counter as Right } from "./right.js";\n'
            'import "./sub/low.js";\nconst secret = "main";\nexport const seen = [add(), new Right().count, secret];\n'
        ),
    )
    script = bundle(entry)
    browser = start_chromium("--disable-gpu")
    seen, order, names = browser.execute_script(
        f"{script}\nreturn [modules['main.js'].seen, modules['sub/low.js'].order, Object.keys(modules)]"
    )
    assert seen == ["left", 1, "main"]
    assert order == ["low", "left", "right"]
    assert names == ["sub/low.js", "left.js", "right.js", "main.js"]
    outside = "try { return secret; } catch (error) { return error.name; }"
    assert browser.execute_script(f"{script}\n{outside}") == "ReferenceError"


def test_a_circle_is_refused_with_its_modules(tmp_path: Path) -> None:
    entry = write(
        tmp_path,
        main='import { a } from "./one.js";\n',
        one='import { b } from "./two.js";\nexport const a = 1;\n',
        two='import { a } from "./one.js";\nexport const b = 1;\n',
    )
    with pytest.raises(ParameterError, match=r"one\.js -> .*two\.js -> .*one\.js"):
        bundle(entry)


def test_a_missing_export_and_a_missing_file_are_named(tmp_path: Path) -> None:
    entry = write(tmp_path, main='import { a, gone } from "./one.js";\n', one="export const a = 1;\nconst gone = 2;\n")
    with pytest.raises(ParameterError, match=r"main\.js imports 'gone', which .*one\.js does not export"):
        bundle(entry)
    with pytest.raises(ParameterError, match=r"nowhere\.js, which .*main\.js imports, does not exist"):
        bundle(write(tmp_path, main='import "./nowhere.js";\n'))


@pytest.mark.parametrize(
    "statement",
    ["export let a = 1;", "export var a = 1;", "export default a;", "export const { a } = b;", "export { a };",
     'import a from "./one.js";', 'import * as a from "./one.js";', "import { a } from './one.js';",
     'import { a } from "one";', 'import { a } from "./one.js"', 'export * from "./one.js";'],
)  # fmt: skip
def test_other_statements_are_refused(tmp_path: Path, statement: str) -> None:
    entry = write(tmp_path, main=f"const x = 1;\n{statement}\n", one="export const a = 1;\n")
    with pytest.raises(ParameterError, match="is not understood"):
        bundle(entry)
    with pytest.raises(ParameterError, match="is not a name to import"):
        bundle(write(tmp_path, main='import { a b } from "./one.js";\n'))
