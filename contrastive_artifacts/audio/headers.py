"""Where the audio of a file really ends: wave and AIFF chunks, and the links of a chained Ogg file.

libsndfile ends at the length that a header states or that it guesses. These functions find out, without decoding,
whether a file holds more.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO, NamedTuple

_UNWRITTEN = (0, 0xFFFFFFFF)  # sizes left by a writer that was interrupted, or that did not know the size
_LEAST_AUDIO = 4096  # bytes; fewer unexplained bytes after the data are not taken for audio
_CHUNKS = (b"LIST", b"id3 ", b"ID3 ", b"bext", b"iXML", b"JUNK", b"fact", b"cue ", b"smpl", b"COMT", b"MARK", b"INST")
_LONGEST_PADDING = 1 << 20  # bytes of zeros, as after recovery from a disk in whole clusters
_LONGEST_PAGE = 27 + 255 + 255 * 255
_TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICS")  # appended by some taggers without a chunk around them


@dataclass(frozen=True)
class PcmData:
    """The sample data of a wave or AIFF file.

    Args:
        start, stop: Byte positions in the file.
        stated: Size in bytes that the header states; ``None`` if it was never written.
        block: Bytes of one sample of all channels.
    """

    start: int
    stop: int
    stated: int | None
    block: int


class FilePart(io.RawIOBase):
    """Bytes ``[start, stop)`` of a file, read as a file of their own."""

    def __init__(self, path: Path, start: int, stop: int) -> None:
        self._file: BinaryIO = path.open("rb")
        self._start, self._length, self._position = start, stop - start, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self.tell(), os.SEEK_END: self._length}[whence]
        self._position = max(0, origin + offset)
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        view = memoryview(buffer)[: max(0, self._length - self.tell())]
        self._file.seek(self._start + self._position)  # files in memory are shared by all who open them
        count: int = self._file.readinto(view)  # type: ignore[attr-defined]
        self._position += count
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def pcm_data(path: Path) -> PcmData | None:
    """The sample data of a wave, RF64 or AIFF file; ``None`` if it is none of these or has no data chunk.

    The data ends where the header says if the file ends there or other chunks follow. Else the size was never written,
    was cut to 32 bits, or is wrong: then the data ends with the file.
    """
    with path.open("rb") as file:
        length = file.seek(0, os.SEEK_END)
        file.seek(0)
        form, _, kind = struct.unpack("4s4s4s", file.read(12).ljust(12, b"\0"))
        if form in (b"RIFF", b"RF64", b"BW64") and kind == b"WAVE":
            order, names = "<", (b"fmt ", b"data")
        elif form == b"RIFX" and kind == b"WAVE":
            order, names = ">", (b"fmt ", b"data")
        elif form == b"FORM" and kind in (b"AIFF", b"AIFC"):
            order, names = ">", (b"COMM", b"SSND")
        else:
            return None
        block, long_size = 0, None
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack(f"{order}4sI", head)
            start = file.tell()
            body = file.read(24) if name in (*names, b"ds64") else b""
            if name == b"ds64" and len(body) >= 16:
                long_size = struct.unpack("<Q", body[8:16])[0]
            elif name == b"fmt " and len(body) >= 14:
                block = struct.unpack(f"{order}H", body[12:14])[0]
            elif name == b"COMM" and len(body) >= 8:
                channels, bits = struct.unpack(">H", body[:2])[0], struct.unpack(">H", body[6:8])[0]
                block = channels * (-(-bits // 8))
            elif name == names[1]:
                if form in (b"RF64", b"BW64") and size == 0xFFFFFFFF and long_size is not None:
                    size = long_size
                first = start + (8 if name == b"SSND" else 0)
                stated = size - 8 if name == b"SSND" and size >= 8 else size
                stop = first + stated
                unwritten = size in _UNWRITTEN or (name == b"SSND" and size == 8)
                if block and 0 <= first < length and not _chunks_follow(file, stop, length, order, unwritten):
                    stop = length
                return PcmData(first, min(stop, length), None if unwritten else stated, block) if block else None
            file.seek(start + size + size % 2)
        return None


def _chunks_follow(file: BinaryIO, position: int, length: int, order: str, unwritten: bool) -> bool:
    """Whether the bytes from ``position`` to the end of the file are chunks, tags, padding or too few to be audio."""
    if length - position < (1 if unwritten else _LEAST_AUDIO):
        return True
    if not unwritten and length - position <= _LONGEST_PADDING:
        file.seek(position)
        if not any(file.read()):
            return True
    for at in (position + position % 2, position):  # some writers leave the padding byte out
        while length - at >= 8:
            file.seek(at)
            name, size = struct.unpack(f"{order}4sI", file.read(8))
            if name.startswith(_TAGS) or name in _CHUNKS:
                return True
            if not all(0x20 <= byte < 0x7F for byte in name) or at + 8 + size > length:
                break
            at += 8 + size + size % 2
        else:
            return True
    return False


def looks_chained(path: Path) -> bool:
    """Whether the last page of an Ogg file belongs to another stream than the first: quick, and blind to equal ones."""
    with path.open("rb") as file:
        length = file.seek(0, os.SEEK_END)
        serials = {page.serial for page in takewhile(lambda page: page.first, _pages(file, length))}
        file.seek(max(0, length - _LONGEST_PAGE))
        tail = file.read()
        last = tail.rfind(b"OggS")
        return 0 <= last <= len(tail) - 18 and tail[last + 14 : last + 18] not in serials


def ogg_links(path: Path) -> list[tuple[int, int]]:
    """Byte positions ``[start, stop)`` of the links of an Ogg file: streams written one after the other."""
    starts: list[int] = []
    with path.open("rb") as file:
        length = file.seek(0, os.SEEK_END)
        in_headers = False
        for page in _pages(file, length):
            if page.first and not in_headers:  # the first pages of parallel streams follow one another
                starts.append(page.position)
            in_headers = page.first
    return list(zip(starts, [*starts[1:], length], strict=True))


class _Page(NamedTuple):
    """The header of an Ogg page: its byte position, whether it begins a stream, and the number of that stream."""

    position: int
    first: bool
    serial: bytes


def _pages(file: BinaryIO, length: int) -> Iterator[_Page]:
    position = 0
    while position < length:
        file.seek(position)
        head = file.read(27)
        if len(head) < 27 or not head.startswith(b"OggS"):
            position = _next_page(file, position + 1)
            continue
        yield _Page(position, bool(head[5] & 2), head[14:18])
        sizes = file.read(head[26])
        position += 27 + len(sizes) + sum(sizes)


def _next_page(file: BinaryIO, position: int) -> int:
    """Byte position of the next Ogg page from ``position`` on; the end of the file if there is none."""
    file.seek(position)
    while data := file.read(1 << 16):
        if (offset := data.find(b"OggS")) >= 0:
            return position + offset
        if len(data) < 4:
            break
        position += len(data) - 3
        file.seek(position)
    return file.seek(0, os.SEEK_END)
