"""Recordings of archive.org: items that are named, or those that a search gives; downloaded on first use."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from ....core import files
from ....core.errors import CorpusError, DownloadError, ParameterError
from ..base import Clip, Corpus
from . import storage
from .service import search as search_items


def archive_org(items: Sequence[str] | None = None, search: str | None = None, limit: int = 50) -> Corpus:
    """The recordings of items of archive.org, see :func:`.storage.recordings` for where they are stored.

    The items of a search are stored with it (``<cache>/archive_org/.searches/``), so that the corpus stays the same;
    delete that file to search anew. Items of a search that have no file to download are left out with a warning.

    Args:
        items: Identifiers of items, ``IDENTIFIER/path/file.mp3`` for one file of an item.
        search: A query as on archive.org, in place of ``items``: ``collection:prelinger AND year:1940``. Only items
            with sound or film are taken (media types audio, etree, movies).
        limit: Most items of a search, 1 to 10,000, by identifier.

    Returns:
        A corpus whose clip ids are ``IDENTIFIER/path/file.mp3``; the source of a clip is its item.

    Raises:
        ParameterError: both or neither of ``items`` and ``search``, or a limit out of range.
        CorpusError: an item that is missing, restricted or without sound, nothing in all of the search, or archive.org
            cannot be reached; the message says what to download elsewhere and where to put it.
    """
    if (items is None) == (search is None):
        raise ParameterError("Give either items=[IDENTIFIER, ...] or search=QUERY, not both or neither.")
    try:
        if items is not None:
            return Corpus("archive_org", _clips(items))
        clips, problems = _of_search(search or "", limit)
    except DownloadError as error:
        raise CorpusError(str(error)) from error
    if not clips and problems:
        raise CorpusError(
            f"None of the {len(problems)} items of the search can be used; the first problem: {problems[0]}"
        )
    left_out = f"{len(problems)} items of the search: {'; '.join(problems)}" if problems else ""
    if left_out:
        logging.getLogger(__name__).warning("left out: %s", left_out)
    return Corpus("archive_org", clips, left_out)


def _clips(items: Sequence[str]) -> Iterator[Clip]:
    """The clips of all items, each once: an item and a file of it may both be named."""
    recordings = [recording for item in items for recording in storage.recordings(f"{storage.PREFIX}{item}")]
    for recording in {(recording.item, recording.name): recording for recording in recordings}.values():
        source = f"{storage.PREFIX}{recording.item}"
        yield Clip(recording.title.removeprefix(storage.PREFIX), source, path=recording.path)


def _of_search(query: str, limit: int) -> tuple[list[Clip], list[str]]:
    """Clips of the items of a search, and the problems of those that have none."""
    clips: list[Clip] = []
    problems: list[str] = []
    for identifier in _identifiers(query, limit):
        try:
            clips += _clips([identifier])
        except CorpusError as error:
            problems.append(str(error))
    return clips, problems


def _identifiers(query: str, limit: int) -> list[str]:
    digest = hashlib.blake2b(f"{limit} {query}".encode(), digest_size=8).hexdigest()
    path = storage.folder() / ".searches" / f"{digest}.json"
    if path.is_file():
        content = files.read_json(path)
        identifiers = content.get("items") if isinstance(content, dict) else None
        if not isinstance(identifiers, list) or not all(isinstance(identifier, str) for identifier in identifiers):
            raise CorpusError(f"{path} holds no items of a search; delete it.")
        return identifiers
    identifiers, total = search_items(query, limit)
    if total > limit:
        logging.getLogger(__name__).warning("%s: the first %d of %d items (limit=)", query, limit, total)
    if not identifiers:
        raise CorpusError(
            f"The search {query!r} gives no item with sound or film; try it on https://archive.org/search."
        )
    now = datetime.now(UTC).isoformat(timespec="seconds")
    files.write_json(path, {"search": query, "limit": limit, "of": total, "time": now, "items": identifiers})
    return identifiers
