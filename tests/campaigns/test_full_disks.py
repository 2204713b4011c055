"""A disk that becomes full in the middle of the work: an error that names the setting, and no half result.

The short version limits the size of files (RLIMIT_FSIZE); ``make campaign`` also mounts small disks where it may.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from verbs import VERBS, Verb, record

from contrastive_artifacts.core.journal import Journal

pytestmark = pytest.mark.slow
SETTINGS = {"scan": "out", "embed": "out", "render": "to", "curate": "to"}
WRITERS = [verb for verb in VERBS if verb.name in SETTINGS]
FINISHED = {"scan": "out.artifacts.*", "embed": "a.parquet", "render": "to/manifest.*", "curate": "to/manifest.*"}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("recordings"), count=10)


def limited(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def fails(verb: Verb, recordings: Path, home: Path, limit: Callable[[], None] | None = None) -> bool:
    """Whether a verb fails; then with an error that names its setting, and without a result or a temporary file."""
    with verb.start(recordings, home, preexec_fn=limit) as process:
        _, stderr = process.communicate(timeout=600)
    if process.returncode == 0:
        return False
    said = " ".join(stderr.split())
    assert process.returncode == 2, stderr
    assert f"{SETTINGS[verb.name]}={home}" in said.replace(" ", "") or f"{SETTINGS[verb.name]}={home}" in said, stderr
    assert "Traceback" not in stderr
    results = [path for path in home.glob(FINISHED[verb.name]) if not path.name.endswith(".unfinished")]
    assert not results, "half a result"
    assert not list(home.rglob(".*.tmp*")), "a temporary file"
    for path in home.rglob("*.jsonl"):
        Journal(path).close()  # every line is whole
    return True


def ends_after(verb: Verb, recordings: Path, home: Path) -> None:
    with verb.start(recordings, home) as process:
        _, stderr = process.communicate(timeout=600)
    assert process.returncode == 0, stderr
    verb.result(home)


@pytest.mark.parametrize(("verb", "size"), [*zip(WRITERS, (20_000, 20_000, 20_000, 5_000), strict=True)], ids=SETTINGS)
def test_files_become_too_large(recordings: Path, tmp_path: Path, verb: Verb, size: int) -> None:
    assert fails(verb, recordings, tmp_path, limited(size))
    ends_after(verb, recordings, tmp_path)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mounts a disk of so many KB."""
    mounted: list[Path] = []

    def mount(kilobytes: int) -> Path:
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("this user may not mount a disk")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=False)


@pytest.mark.campaign
@pytest.mark.parametrize("verb", WRITERS, ids=lambda verb: verb.name)
def test_small_disks(recordings: Path, verb: Verb, disk: Callable[[int], Path]) -> None:
    failed = [size for size in (8, 16, 32, 64, 128, 256, 512, 1024) if fails(verb, recordings, disk(size))]
    print(f"{verb.name}: failed on disks of {', '.join(map(str, failed))} KB")
    assert failed
