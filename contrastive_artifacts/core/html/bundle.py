"""Puts the ES modules of a page together into one inline script.

A page opens from disk and its content security policy allows one script, by its hash. Browsers load no modules from
``file:`` addresses, and an inline module cannot import another, so the modules are joined here. Each keeps its own
scope: it becomes a function that returns what it exports, and its imports become constants. That is a subset of ES
modules (see :func:`bundle`); the linter and editors read the files as what they are. An existing bundler would need
Node wherever a page is written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import ParameterError

_NAME = r"[A-Za-z_$][\w$]*"
_IMPORT = re.compile(r'^import (?:\{([^}]*)\} from )?"(\.\.?/[^"]+)";$\n?', re.MULTILINE)
_IMPORTED = re.compile(rf"({_NAME})(?: as ({_NAME}))?")
_EXPORT = re.compile(rf"^export (?=(?:const|class|function|async function) ({_NAME})\b)", re.MULTILINE)
_STATEMENT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


@dataclass(frozen=True)
class _Module:
    """One file: its code without import and export statements.

    Attributes:
        imports: Path of a module -> (name there, name here) of each binding, in the order of the statements.
        exports: Exported names.
    """

    path: Path
    code: str
    imports: tuple[tuple[Path, tuple[tuple[str, str], ...]], ...]
    exports: tuple[str, ...]


def bundle(entry: Path) -> str:
    """The script of a page: the module ``entry`` and all that it imports, each once, dependencies first.

    Understood are, at the beginning of a line, ``import { a, b as c } from "./x.js";``, ``import "./x.js";`` and
    ``export`` before a const (of one name), a class or a function. Exported bindings never change (no ``export let``);
    what changes is exported as a field of an object.

    In the browser, ``modules["path/of/x.js"]`` holds the exports of a module, for the console and for tests; paths are
    relative to the folder that holds all modules of the page.

    Raises:
        ParameterError: a module is missing or imports itself over others, a name is imported that is not exported, or
            a statement is not one of the above.
    """
    modules = _in_order(entry.resolve())
    root = Path(os.path.commonpath([module.path.parent for module in modules]))
    names = {module.path: module.path.relative_to(root).as_posix() for module in modules}
    exports = {module.path: module.exports for module in modules}
    parts = ['"use strict";\nconst modules = {};\n']
    for module in modules:
        lines = []
        for path, bindings in module.imports:
            for name, _ in bindings:
                if name not in exports[path]:
                    raise ParameterError(
                        f"{module.path} imports {name!r}, which {path} does not export; export const takes one name."
                    )
            if bindings:
                renamed = ", ".join(name if name == local else f"{name}: {local}" for name, local in bindings)
                lines.append(f'const {{ {renamed} }} = modules["{names[path]}"];\n')
        parts.append(
            f'modules["{names[module.path]}"] = (() => {{\n{"".join(lines)}{module.code}\n'
            f"return {{ {', '.join(module.exports)} }};\n}})();\n"
        )
    return "".join(parts)


def _in_order(entry: Path) -> list[_Module]:
    """All modules that ``entry`` needs, each behind those that it imports, as browsers run them."""
    ordered: dict[Path, _Module] = {}

    def visit(path: Path, importers: tuple[Path, ...]) -> None:
        if path in importers:
            circle = [*importers[importers.index(path) :], path]
            raise ParameterError(f"Modules import each other in a circle: {_joined(circle, ' -> ')}.")
        if path in ordered:
            return
        module = _parse(path, importers)
        for imported, _ in module.imports:
            visit(imported, (*importers, path))
        ordered[path] = module

    visit(entry, ())
    return list(ordered.values())


def _parse(path: Path, importers: tuple[Path, ...]) -> _Module:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        by = f", which {importers[-1]} imports," if importers else ""
        raise ParameterError(f"The module {path}{by} does not exist.") from None
    imports = []
    for braces, target in _IMPORT.findall(text):
        bindings = []
        for part in filter(None, (part.strip() for part in braces.split(","))):
            match = _IMPORTED.fullmatch(part)
            if match is None:
                raise ParameterError(f"{path}: {part!r} is not a name to import.")
            bindings.append((match[1], match[2] or match[1]))
        imports.append(((path.parent / target).resolve(), tuple(bindings)))
    code = _IMPORT.sub("", text)
    exports = tuple(_EXPORT.findall(code))
    code = _EXPORT.sub("", code)
    if rest := _STATEMENT.search(code):
        raise ParameterError(
            f'{path}: {rest[0]!r} is not understood. Write import {{ a }} from "./x.js"; or import "./x.js"; and '
            "export const, class or function; what changes is exported as a field of an object."
        )
    return _Module(path, code, tuple(imports), exports)


def _joined(paths: Iterable[Path], between: str) -> str:
    return between.join(str(path) for path in paths)
