"""Recordings on other file systems: the same samples as of a local file, read in place; errors name the address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import fsspec
import numpy as np
import pytest
import soundfile

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import AudioError, ParameterError

RATE = 16000
pytest.importorskip("upath")


@pytest.fixture(params=["memory", "file"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An address of an empty folder."""
    yield "memory://films" if request.param == "memory" else f"file://{tmp_path}/remote"
    fsspec.filesystem("memory").store.clear()


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a b.mp4"])
def test_samples_are_those_of_the_local_file(folder: str, name: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 3 * RATE)).astype(np.float32)
    local = tmp_path / name
    if name.endswith("mp4"):
        with av.open(str(local), "w") as container:
            stream = container.add_stream("aac", rate=RATE)
            frame = av.AudioFrame.from_ndarray(noise, "fltp", "stereo")
            frame.sample_rate = RATE
            container.mux([*stream.encode(frame), *stream.encode(None)])
    else:
        soundfile.write(local, noise.T, RATE)
    with fsspec.open(f"{folder}/{name}", "wb", auto_mkdir=True) as file:
        file.write(local.read_bytes())
    address = f"{folder}/{name}"
    assert audio.probe(address).samples == audio.probe(local).samples
    for span in ((0, None), (RATE, 2 * RATE)):
        np.testing.assert_array_equal(audio.read(address, *span)[0], audio.read(local, *span)[0])
    blocks = [block for _, block in audio.MediaFile(address).blocks(1000)]
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), audio.read(local)[0])


def test_errors_name_the_address(folder: str) -> None:
    with pytest.raises(AudioError, match=r"no\.wav does not exist"):
        audio.read(f"{folder}/no.wav")
    with fsspec.open(f"{folder}/text.wav", "wb", auto_mkdir=True) as file:
        file.write(b"no sound " * 100)
    with pytest.raises(AudioError, match=r"://.*text\.wav cannot be read as audio"):
        audio.read(f"{folder}/text.wav")


def test_a_file_system_that_does_not_exist() -> None:
    with pytest.raises(ParameterError, match=r"foo://a/b\.wav: .*s3://"):
        audio.read("foo://a/b.wav")
