"""Values of a configuration against the annotations of a dataclass or a function.

Written here, and not taken from pydantic: values are checked and not converted (an int in a field of floats stays an
int, or the records of runs and the fingerprints over them would change), and each message names the section, the
value and the setting that was probably meant.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

from .errors import ParameterError
from .suggestions import clause

S = TypeVar("S")
_PLAIN = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    Path: "a path",
    type(None): "null",
}


def settings(kind: type[S], section: Any, name: str, **fixed: Any) -> S:
    """A settings dataclass from a section of the configuration.

    Args:
        kind: The dataclass.
        section: ``{setting: value}``, plain JSON; lists become tuples where the field is a tuple.
        name: Of the section in the configuration, for messages; empty for the top level.
        fixed: Fields that the caller sets; the section cannot.

    Raises:
        ParameterError: an unknown key (the message names the close ones), a missing one, or a value of another type.
    """
    hints = typing.get_type_hints(kind)
    fields = [field for field in dataclasses.fields(kind) if field.init and field.name not in fixed]  # type: ignore[arg-type]
    required = [f.name for f in fields if f.default is f.default_factory is dataclasses.MISSING]
    return kind(**_checked(section, {field.name: hints[field.name] for field in fields}, required, name), **fixed)


def options(
    function: Callable[..., Any], section: Any, name: str, also: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The keyword arguments of ``function`` that a section of the configuration gives, checked against its annotations.

    Args:
        function: Its parameters are the settings of the section.
        section: ``{setting: value}``, plain JSON.
        name: Of the section in the configuration, for messages.
        also: Further settings that the section may have, with their types; not arguments of the function.

    Raises:
        ParameterError: as :func:`settings`.
    """
    hints = typing.get_type_hints(function)
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = {key: p for key, p in inspect.signature(function).parameters.items() if p.kind in named}
    known = {key: hints.get(key, Any) for key in parameters} | dict(also or {})
    required = [key for key, p in parameters.items() if p.default is p.empty]
    return _checked(section, known, required, name)


def unknown_setting(name: str, key: str, known: Iterable[str], what: str = "setting") -> ParameterError:
    """The error for a setting (or ``what``) that a section does not have; ``name`` is empty for the top level."""
    known = list(known)
    has_no = f"{name or 'The configuration'} has no {what} {key!r}"
    return ParameterError(f"{has_no}{clause(key, known)} It has: {', '.join(known)}.")


def mapping(section: Any, name: str) -> Mapping[str, Any]:
    """``section`` where it is a mapping.

    Raises:
        ParameterError: it is not; the message has ``name``.
    """
    if not isinstance(section, Mapping):
        raise ParameterError(f"{name} is {section!r}; it must be a mapping of settings.")
    return section


def _checked(section: Any, known: Mapping[str, Any], required: Sequence[str], name: str) -> dict[str, Any]:
    if not isinstance(section, Mapping):
        raise ParameterError(f"{name} is {section!r}; it must be a mapping of settings: {', '.join(known)}.")
    for key in section:
        if key not in known:
            raise unknown_setting(name, str(key), known)
    path = f"{name}." if name else ""
    if missing := [key for key in required if key not in section]:
        raise ParameterError(f"{path}{missing[0]} is not given; it must be {described(known[missing[0]])}.")
    values = {}
    for key, value in section.items():
        try:
            values[key] = converted(value, known[key])
        except TypeError:
            raise ParameterError(f"{path}{key} is {value!r}; it must be {described(known[key])}.") from None
    return values


def converted(value: Any, hint: Any) -> Any:
    """``value`` where it fits the annotation, lists as tuples where tuples are annotated.

    Raises:
        TypeError: it does not fit.
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or isinstance(hint, TypeVar):
        return value
    if origin in (Union, types.UnionType):
        return _first_fit(value, arguments)
    if origin is Literal:
        fits = any(value == choice and type(value) is type(choice) for choice in arguments)
    elif hint is float:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    elif hint is int:
        fits = isinstance(value, int) and not isinstance(value, bool)
    elif hint in (None, type(None)):
        fits = value is None
    elif isinstance(origin, type) and issubclass(origin, Collection):
        return _collection(value, origin, arguments)
    else:
        fits = isinstance(value, hint) if isinstance(hint, type) else True
    if not fits:
        raise TypeError
    return value


def _first_fit(value: Any, hints: Iterable[Any]) -> Any:
    for hint in hints:
        try:
            return converted(value, hint)
        except TypeError:
            continue
    raise TypeError


def _collection(value: Any, origin: type, arguments: tuple[Any, ...]) -> Any:
    if issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise TypeError
        keys, values = arguments or (Any, Any)
        return {converted(key, keys): converted(each, values) for key, each in value.items()}
    if not isinstance(value, list | tuple):
        raise TypeError
    if origin is not tuple:
        return [converted(each, arguments[0]) for each in value]
    if arguments[-1] is ...:
        return tuple(converted(each, arguments[0]) for each in value)
    if len(value) != len(arguments):
        raise TypeError
    return tuple(converted(each, hint) for each, hint in zip(value, arguments, strict=True))


def described(hint: Any) -> str:
    """An annotation in words: ``float | None`` is "a number or null"."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(described(each) for each in arguments))
    if origin is Literal:
        return f"one of {', '.join(map(str, arguments))}"
    if hint in _PLAIN:
        return _PLAIN[hint]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "a mapping {name: value}"
    if origin is tuple and arguments[-1] is not ...:
        return f"a list of {len(arguments)}: {', '.join(described(each) for each in arguments)}"
    if isinstance(origin, type) and issubclass(origin, Collection):
        return f"a list, each {described(arguments[0])}"
    return getattr(hint, "__name__", str(hint))
