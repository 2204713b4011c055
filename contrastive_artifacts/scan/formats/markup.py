"""XML as elements of the standard library; what XML cannot hold is escaped."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from ...core import files
from ...core.console import printable

_NO_CHARACTERS = re.compile("[\ufffe\uffff]")  # the rest of what XML 1.0 forbids are control characters and surrogates


def add(parent: ElementTree.Element, tag: str, text: str | None = None, **attributes: str) -> ElementTree.Element:
    """Appends an element of the namespace of its parent, and returns it."""
    space = parent.tag.partition("}")[0] + "}"
    values = {name: xml_text(value) for name, value in attributes.items()}
    child = ElementTree.SubElement(parent, tag if tag.startswith("{") else space + tag, values)
    child.text = None if text is None else xml_text(text)
    return child


def xml_text(text: str) -> str:
    r"""A text with what XML cannot hold (control characters, bytes that are not UTF-8) escaped.

    >>> xml_text("a\x01\ufffe.wav")
    'a\\x01\\ufffe.wav'
    """
    return _NO_CHARACTERS.sub(lambda match: f"\\u{ord(match[0]):04x}", printable(text))


def write_xml(root: ElementTree.Element, path: str | Path, namespaces: dict[str, str]) -> None:
    """Writes a document; ``namespaces`` are prefix -> URI, "" for the default one."""
    tree = _prefixed(root, {uri: prefix for prefix, uri in namespaces.items()})
    for prefix, uri in namespaces.items():
        tree.set(f"xmlns:{prefix}" if prefix else "xmlns", uri)
    ElementTree.indent(tree)
    text = ElementTree.tostring(tree, encoding="unicode")
    files.write_text(path, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n')


def _prefixed(element: ElementTree.Element, prefixes: dict[str, str]) -> ElementTree.Element:
    """A copy with prefixes in place of URIs: the library's own prefixes are global, and its default one is not."""
    uri, _, name = element.tag.removeprefix("{").rpartition("}")
    prefix = prefixes[uri]
    copy = ElementTree.Element(f"{prefix}:{name}" if prefix else name, element.attrib)
    copy.text = element.text
    copy.extend(_prefixed(child, prefixes) for child in element)
    return copy
