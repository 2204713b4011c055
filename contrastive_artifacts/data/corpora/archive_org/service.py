"""What archive.org answers: the files of an item (Metadata API) and the items that a search gives (Advanced Search).

https://archive.org/developers/md-read.html, https://archive.org/advancedsearch.php; requests are made by one thread,
one after the other, with a pause between them.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from ....core import web
from ....core.errors import CorpusError, DownloadError, ParameterError
from .choice import ItemFile

ADDRESS_VARIABLE = "CONTRASTIVE_ARTIFACTS_ARCHIVE_ORG"  # of a mirror, or of a server in a test
PAUSE_S = 1.0  # between two requests
MOST_ROWS = 10_000  # that one page of a search may have
_IDENTIFIER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_WITH_SOUND = "mediatype:(audio OR etree OR movies)"  # etree: live concerts
_last_request = -PAUSE_S


def item_files(identifier: str) -> list[ItemFile]:
    """The files of an item.

    Raises:
        CorpusError: there is no such item, or archive.org keeps it from the public.
        DownloadError: archive.org cannot be reached, or does not answer as documented.
    """
    url = metadata_url(identifier)
    pause()
    answer = web.get_json(url)
    if not isinstance(answer, Mapping):
        raise DownloadError(f"{url} does not answer with the metadata of an item; try again later.")
    if not answer:
        raise CorpusError(f"There is no item {identifier} on archive.org; upper and lower case matter.")
    if answer.get("is_dark"):
        raise CorpusError(f"ia:{identifier} is dark: archive.org has taken it down. Choose another item.")
    if answer.get("error"):
        raise DownloadError(f"{url} answers with an error: {str(answer['error'])[:200]}.")
    about = answer.get("metadata")
    about = about if isinstance(about, Mapping) else {}
    if _is_true(about.get("access-restricted-item")) or answer.get("nodownload"):
        raise CorpusError(
            f"ia:{identifier} is restricted: archive.org lends or streams it, but offers no files of it for download."
        )
    if about.get("mediatype") == "collection":
        raise CorpusError(f"ia:{identifier} is a collection; search for its items: collection:{identifier}.")
    entries = answer.get("files")
    return [file for file in map(ItemFile.of, entries if isinstance(entries, list) else []) if file is not None]


def search(query: str, limit: int) -> tuple[list[str], int]:
    """Identifiers of items with sound or film that a query gives, sorted, and how many there are in all.

    Args:
        query: As on archive.org: ``collection:prelinger AND year:[1940 TO 1949]``.
        limit: Most identifiers that are wanted, 1 to 10,000.

    Raises:
        ParameterError: a limit out of range, or a query that archive.org does not understand.
        DownloadError: archive.org cannot be reached, or does not answer as documented.
    """
    if not 1 <= limit <= MOST_ROWS:
        raise ParameterError(f"limit={limit}: ask for 1 to {MOST_ROWS} items.")
    url = search_url(query, limit)
    pause()
    answer = web.get_json(url)
    response = answer.get("response") if isinstance(answer, Mapping) else None
    if isinstance(answer, Mapping) and answer.get("error"):
        raise ParameterError(f"archive.org refuses the search {query!r}: {str(answer['error'])[:200]}.")
    if not isinstance(response, Mapping) or not isinstance(response.get("docs"), list):
        raise DownloadError(f"{url} does not answer with results of a search; try again later.")
    names = [doc.get("identifier") for doc in response["docs"] if isinstance(doc, Mapping)]
    identifiers = sorted({name for name in names if isinstance(name, str) and is_identifier(name)})[:limit]
    total = response.get("numFound")
    return identifiers, total if isinstance(total, int) else len(identifiers)


def is_identifier(text: str) -> bool:
    """Whether an item can have this name: up to 100 letters, digits and ``_.-``, of which the latter two not first."""
    return _IDENTIFIER.fullmatch(text) is not None


def metadata_url(identifier: str) -> str:
    return f"{_address()}/metadata/{identifier}"


def search_url(query: str, limit: int) -> str:
    values = [("q", f"({query}) AND {_WITH_SOUND}"), ("fl[]", "identifier"), ("sort[]", "identifier asc")]
    return f"{_address()}/advancedsearch.php?{urlencode([*values, ('rows', limit), ('page', 1), ('output', 'json')])}"


def file_url(identifier: str, name: str) -> str:
    """Address of a file, or of the list of an item's files where ``name`` is empty."""
    return f"{_address()}/download/{identifier}/{quote(name, errors='surrogatepass')}"


def pause() -> None:
    """Waits so long that requests are at least a second apart; called before each of them."""
    global _last_request
    time.sleep(max(_last_request + PAUSE_S - time.monotonic(), 0.0))
    _last_request = time.monotonic()


def _address() -> str:
    address = os.environ.get(ADDRESS_VARIABLE) or "https://archive.org"
    if not re.match(r"https?://[^/]", address):
        raise ParameterError(
            f"{ADDRESS_VARIABLE} is {address!r}; give an address that begins with https:// or http://."
        )
    return address.rstrip("/")


def _is_true(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]  # a field that is stated twice is a list
    return any(str(entry).lower() == "true" for entry in values)
