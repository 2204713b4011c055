"""Which files of an item are taken: of each recording one, the original where it can be read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contrastive_artifacts.core.errors import CorpusError
from contrastive_artifacts.data.corpora.archive_org.choice import ItemFile, choose, named


def original(name: str, **more: Any) -> ItemFile:
    return ItemFile(name, "original", **more)


def derivative(name: str, of: str, **more: Any) -> ItemFile:
    return ItemFile(name, "derivative", of, **more)


def chosen(*files: ItemFile) -> dict[str, str]:
    return {choice.file.name: choice.reason for choice in choose("item", files)}


def test_originals_of_an_album_are_all_taken_and_no_derivative() -> None:
    album = [original(f"disc1/0{n}.flac", size=9) for n in (1, 2)]
    copies = [derivative(f"disc1/0{n}.mp3", f"disc1/0{n}.flac", size=99) for n in (1, 2)]
    others = [original("cover.jpg"), derivative("disc1/01.png", "disc1/01.flac"), ItemFile("item_meta.xml", "metadata")]
    reason = "original; other files of this recording: 1"
    assert chosen(*copies, *others, *album) == {"disc1/01.flac": reason, "disc1/02.flac": reason}


def test_a_disc_image_is_heard_by_its_largest_derivative() -> None:
    files = [original("film.iso", size=900), derivative("film.mpeg", "film.iso", size=500)]
    files += [derivative("film_512kb.mp4", "film.iso", size=50), derivative("film.ogv", "film.mpeg", size=600)]
    reason = "derivative: its original {} is no audio or video file that is read; other files of this recording: 2"
    assert chosen(*files) == {"film.ogv": reason.format("film.mpeg")}
    assert chosen(*files[:3]) == {"film.mpeg": reason.replace(": 2", ": 1").format("film.iso")}


def test_an_original_that_is_private_is_heard_by_a_derivative() -> None:
    files = [original("tape.wav", private=True), derivative("tape.mp3", "tape.wav")]
    assert chosen(*files) == {"tape.mp3": "derivative: its original tape.wav is private"}


def test_one_recording_in_two_original_formats_is_taken_once_and_lossless() -> None:
    files = [original("tape.mp3", size=9), original("tape.wav", size=5), original("b/tape.mp3")]
    assert list(chosen(*files)) == ["b/tape.mp3", "tape.wav"]


def test_items_without_sound_are_an_error() -> None:
    with pytest.raises(CorpusError, match=r"ia:item has no audio or video .*none among its 1 files"):
        choose("item", [original("book.pdf")])
    with pytest.raises(CorpusError, match="only 1 private ones"):
        choose("item", [original("book.pdf"), original("song.mp3", private=True)])


def test_a_file_that_is_named_is_taken_whatever_it_is() -> None:
    files = [original("a.flac"), derivative("a.mp3", "a.flac"), original("secret.mp3", private=True)]
    assert named("item", files, "a.mp3").file.source == "derivative"
    with pytest.raises(CorpusError, match=r"no file 'b\.mp3'\. Did you mean a\.mp3"):
        named("item", files, "b.mp3")
    with pytest.raises(CorpusError, match=r"secret\.mp3 is private"):
        named("item", files, "secret.mp3")


def test_derivatives_that_name_each_other_end() -> None:
    circle = [derivative("a.mp3", "b.mp3", size=1), derivative("b.mp3", "a.mp3", size=2)]
    assert list(chosen(*circle)) == ["a.mp3", "b.mp3"]


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
JSON = st.recursive(VALUES, st.lists, max_leaves=4)
KEYS = st.sampled_from(["name", "source", "original", "size", "md5", "private", "format"])
NAMES = st.sampled_from(["a.mp3", "b.mp3", "c.mp3", "d.mp3"])
FILES = st.builds(
    ItemFile, NAMES, st.sampled_from(["original", "derivative", ""]), NAMES | st.just("x.iso"), private=st.booleans()
)


@given(st.dictionaries(KEYS, JSON) | JSON)
def test_any_entry_is_a_file_or_none(entry: Any) -> None:
    file = ItemFile.of(entry)
    if file is not None:
        assert file.name == entry["name"]
        assert file.size is None or file.size >= 0
        assert file.md5 is None or len(bytes.fromhex(file.md5)) == 16


@given(st.lists(FILES, unique_by=lambda file: file.name))
def test_what_is_taken_is_public_and_a_part_of_the_item(files: list[ItemFile]) -> None:
    try:
        choices = choose("item", files)
    except CorpusError:
        assert all(file.private for file in files)
    else:
        assert all(choice.file in files and not choice.file.private for choice in choices)
        assert {f.name for f in files if f.source == "original" and not f.private} <= {c.file.name for c in choices}
