"""Which audio stream of a file is read; files that only name other files; suffixes that can be read."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from media_files import RATE, encode, tone

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import AudioError

LEVELS = {"eng": 0.1, "deu": 0.2, "fra": 0.3}


def languages(path: Path, default: str | None) -> None:
    """Writes a film with one constant stream per language."""
    with av.open(str(path), "w") as container:
        streams = {language: container.add_stream("flac", rate=RATE, layout="mono") for language in LEVELS}
        for language, stream in streams.items():
            stream.metadata.update({"language": language, "title": f"in {language}"})
            stream.disposition = Disposition.default if language == default else Disposition(0)
        for language, stream in streams.items():
            samples = np.full((1, 4096), round(LEVELS[language] * 2**15), np.int16)
            frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
            frame.sample_rate = RATE
            container.mux(stream.encode(frame))
        for stream in streams.values():
            container.mux(stream.encode(None))


@pytest.mark.parametrize(("default", "index"), [("eng", 0), ("deu", 1), ("fra", 2)])
def test_the_default_stream_is_read_and_another_can_be_chosen(tmp_path: Path, default: str, index: int) -> None:
    path = tmp_path / "film.mkv"
    languages(path, default)
    info = audio.probe(path)
    assert (info.stream, info.streams, info.language, info.title) == (index, 3, default, f"in {default}")
    assert audio.read(path)[0].max() == pytest.approx(LEVELS[default], abs=1e-4)
    for number, (language, level) in enumerate(LEVELS.items()):
        for stream in (number, language, language.upper()):
            info = audio.probe(path, stream=stream)
            assert (info.stream, info.language) == (number, language)
            assert audio.read(path, stream=stream)[0].max() == pytest.approx(level, abs=1e-4)
            assert next(audio.blocks(path, 4096, stream=stream))[1].max() == pytest.approx(level, abs=1e-4)
            assert audio.glimpse(path, 10, 20, stream=stream)[0].max() == pytest.approx(level, abs=1e-4)
            assert audio.MediaFile(path, stream).info == info
    for stream in (3, -1, "jpn"):
        with pytest.raises(AudioError, match=rf"no audio stream {stream!r}; it has 0 \(eng\), 1 \(deu\), 2 \(fra\)"):
            audio.read(path, stream=stream)


def test_a_sound_file_has_one_stream(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.wav", tone(), None)
    info = audio.probe(path)
    assert (info.stream, info.streams, info.language, info.title) == (0, 1, None, None)
    np.testing.assert_array_equal(audio.read(path, stream=0)[0], audio.read(path)[0])
    with pytest.raises(AudioError, match=r"no audio stream 1; it has 0 \(no language\)"):
        audio.read(path, stream=1)


@pytest.mark.parametrize(
    "suffix", [".mp4", ".m4a", ".wav", ".mp3", ".ts", ".mkv", ".txt", ".m3u8", ".ffconcat", ".mpd"]
)
def test_playlists_are_refused(tmp_path: Path, suffix: str) -> None:
    encode(tmp_path / "real.m4a", tone(), "aac")
    encode(tmp_path / "real.ts", tone(), "aac")
    path = tmp_path / f"list{suffix}"
    mpd = (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
        '<Period><AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="64000">'
        "<BaseURL>real.m4a</BaseURL></Representation></AdaptationSet></Period></MPD>"
    )
    contents = [
        "ffconcat version 1.0\nfile real.m4a\n",
        f"ffconcat version 1.0\nfile {path.name}\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.5,\nreal.ts\n#EXT-X-ENDLIST\n",
        mpd,
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    ]
    for content in contents:
        path.write_text(content)
        with pytest.raises(AudioError, match=f"list{suffix} is a playlist"):
            audio.read(path)
    path.write_text("file real.m4a\n" * 9)  # what FFmpeg would take for a list only on demand
    with pytest.raises(AudioError, match=f"list{suffix} cannot be read"):
        audio.read(path)


FURTHER = {  # suffix -> codec
    ".mxf": "pcm_s16le",
    ".m4b": "aac",
    ".3gp": "aac",
    ".wmv": "wmav2",
    ".wma": "wmav2",
    ".asf": "wmav2",
    ".f4v": "aac",
    ".wv": "wavpack",
    ".ogv": "flac",
    ".tta": "tta",
    ".mka": "flac",
    ".m2ts": "ac3",
    ".webm": "libopus",
    ".nut": "pcm_s16le",
}


@pytest.mark.parametrize("suffix", FURTHER)
def test_further_suffixes_can_be_read(tmp_path: Path, suffix: str) -> None:
    assert suffix in audio.EXTENSIONS
    path = encode(tmp_path / f"a{suffix}", tone(), FURTHER[suffix], suffix in (".mxf", ".wmv"))
    waveform, rate = audio.read(path)
    assert rate == RATE
    assert waveform.shape == (2, pytest.approx(72_000, abs=5000))
    assert audio.rms(waveform[:1, 10_000:60_000]) == pytest.approx(0.4 / np.sqrt(2), rel=0.05)


def test_listed_suffixes() -> None:
    assert {*FURTHER, ".aifc", ".spx"} <= audio.EXTENSIONS
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in audio.EXTENSIONS)
