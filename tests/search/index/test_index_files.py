"""Any damage of the files is a StorageError, and a directory holds the old index or the new one."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

from contrastive_artifacts.core.errors import StorageError
from contrastive_artifacts.core.files import read_json, sha256, write_json
from contrastive_artifacts.search.index import Index, store

QUERY = np.ones(8)


def files_of(index: Index) -> list[Path]:
    return sorted(index.directory.iterdir())


def forge(path: Path, content: bytes) -> Path:
    """Replaces the content of a file and updates the record to match it."""
    record = read_json(path.parent / "index.json")
    part, suffix = path.name.partition("-")[0], path.suffix
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    digest = sha256(path)
    new = path.rename(path.with_name(f"{part}-{digest[:8]}{suffix}"))
    entry = {"name": new.name, "bytes": len(content), "sha256": digest}
    if part == "structure":
        record["structure"] |= entry
    else:
        record["segments"][0]["files"][part] = entry
    write_json(path.parent / "index.json", record)
    return new


def part(index: Index, name: str) -> Path:
    return next(index.directory.glob(f"{name}-*"))


def test_a_missing_truncated_or_altered_file_is_a_storage_error(any_kind: Index, tmp_path: Path) -> None:
    for path in files_of(any_kind):
        content = path.read_bytes()
        flipped = bytearray(content)
        flipped[len(content) // 2] ^= 0x80
        damaged = [None, b"", content[: len(content) // 2], content[:-3], bytes(flipped), bytes(len(content)), b"\xff"]
        for at, new in enumerate(damaged):
            copy = tmp_path / f"{path.name}-{at}"
            shutil.copytree(any_kind.directory, copy)
            (copy / path.name).unlink() if new is None else (copy / path.name).write_bytes(new)
            with pytest.raises(StorageError):
                Index.open(copy)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 99},
        {"version": 2},
        {"dim": 10**12},
        {"dim": 7},
        {"dim": "8"},
        {"dim": True},
        {"fingerprint": None},
        {"kind": "hnsw"},
        {"kind": "ivf_pq"},
        {"settings": {}},
        {"settings": {"recall_at_10": "high"}},
        {"structure": {}},
        {"segments": []},
        {"segments": None},
        {"segments": ["the first", "the first"]},
        {"segments": [{"count": -1}]},
        {"segments": [{"count": 39}]},
        {"segments": [{"count": 10**12}]},
        {"segments": [{"files": {"vectors": 3, "metadata": {}}}]},
        {"segments": [{"files": {"vectors": {"name": "../../etc/passwd", "bytes": 1, "sha256": "0"}, "metadata": {}}}]},
    ],
)
def test_an_inconsistent_record_is_a_storage_error(flat: Index, change: dict) -> None:
    path = flat.directory / "index.json"
    record = read_json(path)
    if isinstance(change.get("segments"), list):
        first = record["segments"][0]
        segments = [first if part == "the first" else first | part for part in change["segments"]]
        change = {"segments": segments}
    write_json(path, record | change)
    with pytest.raises(StorageError):
        Index.open(flat.directory)
    path.write_text(json.dumps([change]))
    with pytest.raises(StorageError):
        Index.open(flat.directory)


def test_a_flat_index_of_version_2_opens(flat: Index) -> None:
    path = flat.directory / "index.json"
    record = read_json(path)
    segment = record.pop("segments")[0]
    del record["structure"]
    write_json(path, record | segment | {"version": 2, "arrays": {}})
    assert Index.open(flat.directory).search(QUERY, 5) == flat.search(QUERY, 5)


def test_a_record_of_absurd_size_or_depth_is_not_read(flat: Index) -> None:
    for text in ('{"a": ' * 100_000, " " * (2 << 20)):
        (flat.directory / "index.json").write_text(text)
        with pytest.raises(StorageError):
            Index.open(flat.directory)


def test_the_arrays_are_safetensors(any_kind: Index) -> None:
    loaded = load_file(part(any_kind, "vectors"))
    assert (loaded["ids"] == any_kind.ids).all()
    assert (loaded["vectors"] == any_kind.vectors()).all()
    if any_kind.kind != "flat":
        assert load_file(part(any_kind, "structure"))["centroids"].shape[1] == 8


def test_the_vectors_are_mapped(flat: Index) -> None:
    assert isinstance(flat.vectors(), np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        flat.vectors()[0, 0] = 1.0


@pytest.mark.parametrize("value", [np.nan, np.inf, 2.0, 0.0])
def test_vectors_that_are_no_unit_vectors_are_refused(flat: Index, value: float) -> None:
    content = bytearray(part(flat, "vectors").read_bytes())
    content[-4:] = np.float32(value).tobytes()
    content[-8:-4] = np.float32(value).tobytes()
    forge(part(flat, "vectors"), bytes(content))
    with pytest.raises(StorageError, match="length one"):
        Index.open(flat.directory)


@pytest.mark.parametrize("length", [0, 1 << 15, 1 << 40, (1 << 64) - 1])
def test_a_huge_header_is_not_read(flat: Index, length: int) -> None:
    content = part(flat, "vectors").read_bytes()
    forge(part(flat, "vectors"), struct.pack("<Q", length) + content[8:])
    with pytest.raises(StorageError):
        Index.open(flat.directory)


def test_another_table_under_a_true_hash_is_a_storage_error(flat: Index, tmp_path: Path) -> None:
    for table in ({"a": list(range(40))}, {"_id": [0] * 40}, {"_id": list(range(39))}, {"_id": ["x"] * 40}):
        pq.write_table(pa.table(table), tmp_path / "t.parquet")
        forge(part(flat, "metadata"), (tmp_path / "t.parquet").read_bytes())
        with pytest.raises(StorageError):
            Index.open(flat.directory)


def test_a_table_that_unpacks_to_far_more_than_rows_take_is_not_read(flat: Index, tmp_path: Path) -> None:
    """A few kilobytes of zstd can stand for gigabytes."""
    table = pa.table({"_id": range(40), "text": ["x" * (1 << 20)] * 40})
    pq.write_table(table, tmp_path / "t.parquet", compression="zstd", use_dictionary=False)
    assert (tmp_path / "t.parquet").stat().st_size < 100_000
    forge(part(flat, "metadata"), (tmp_path / "t.parquet").read_bytes())
    with pytest.raises(StorageError, match="plausible"):
        Index.open(flat.directory)


@pytest.mark.parametrize("name", ["vectors", "metadata", "structure", "lists"])
def test_hostile_files_under_a_true_hash_are_read_or_refused(any_kind: Index, name: str) -> None:
    """Files are truncated, bits flipped, lengths replaced by huge numbers; in this process, which must not crash."""
    if name in ("structure", "lists") and any_kind.kind == "flat":
        pytest.skip("a flat index has none")
    path = part(any_kind, name)
    whole, rng, refused = path.read_bytes(), np.random.default_rng(0), 0
    for trial in range(120):
        data = bytearray(whole)
        span = 400 if trial % 2 else len(data)  # headers first; Parquet keeps its own at the end
        for at in rng.integers(0, min(span, len(data)), 1 + trial % 4):
            data[-1 - at if name == "metadata" else at] = rng.integers(0, 256)
        if trial % 5 == 0:
            data = data[: rng.integers(0, len(data))]
        if trial % 7 == 0 and len(data) > 40:
            at = int(rng.integers(0, len(data) - 8))
            data[at : at + 8] = b"\xff" * 7 + b"\x7f"
        path = forge(path, bytes(data))
        try:
            hits = Index.open(any_kind.directory).search(QUERY, 5)
            assert len(hits) == 5
        except StorageError:
            refused += 1
    assert refused > 40


def test_an_interrupted_build_leaves_the_old_index(any_kind: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    before = any_kind.search(QUERY, 5)

    def fails(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(store, "write_json", fails)
        with pytest.raises(OSError, match="disk full"):
            Index.build(np.eye(8), [{"name": "x", "take": 0}] * 8, any_kind.directory, fingerprint="f2")
    assert Index.open(any_kind.directory, "f1").search(QUERY, 5) == before
    Index.build(np.eye(8), [{"name": "x", "take": 0}] * 8, any_kind.directory, fingerprint="f2")
    assert len(files_of(any_kind)) == 3  # files of the interrupted build are removed, too
