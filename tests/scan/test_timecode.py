"""Time codes count frames exactly: each frame has one text, drop-frame counting as in SMPTE ST 12-1."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.scan.timecode import RATES, Timecode

COUNTINGS = [Timecode(rate) for rate in RATES.values()] + [Timecode(RATES[name], True) for name in ("29.97", "59.94")]


@given(st.sampled_from(COUNTINGS), st.integers(0, 24 * 3600 * 60))
def test_a_text_is_of_one_frame(counting: Timecode, frame: int) -> None:
    day = counting.frame(counting.text(-1)) + 1
    assert counting.frame(counting.text(frame)) == frame % day
    assert counting.text(frame + day) == counting.text(frame), "counting begins anew after a day"


@given(st.sampled_from(COUNTINGS), st.integers(0, 24 * 3600 * 60))
def test_texts_rise_with_frames(counting: Timecode, frame: int) -> None:
    day = counting.frame(counting.text(-1)) + 1
    frame %= day - 1
    assert counting.text(frame) < counting.text(frame + 1)


def test_drop_frame_counting_leaves_numbers_out_but_each_tenth_minute() -> None:
    drop = Timecode.of("29.97")
    texts = [drop.text(frame) for frame in range(17982 * 2)]
    assert (texts[1799], texts[1800]) == ("00:00:59;29", "00:01:00;02")
    assert (texts[17981], texts[17982]) == ("00:09:59;29", "00:10:00;00")
    left_out = {f"00:{minute:02d}:00;{n:02d}" for minute in range(20) if minute % 10 for n in (0, 1)}
    every = {f"00:{m:02d}:{s:02d};{n:02d}" for m in range(20) for s in range(60) for n in range(30)}
    assert every - set(texts) == left_out
    assert Timecode.of("59.94").text(3600) == "00:01:00;04"


def test_drop_frame_counting_stays_with_the_clock() -> None:
    samples = 10 * 3600 * 48000
    assert Timecode.of("29.97").span(samples, samples, 48000)[0] == "10:00:00;01", "a frame early in ten hours"
    assert Timecode.of("29.97", "00:00:00:00").span(samples, samples, 48000)[0] == "09:59:24:01"
    assert Timecode.of("23.976").span(samples, samples, 48000)[0] == "09:59:24:00"


def test_a_span_is_from_the_frame_of_its_first_sample_to_the_frame_after_its_last_one() -> None:
    counting = Timecode.of(25, "01:00:00:00")  # 1920 samples a frame at 48 kHz
    assert counting.span(1919, 1921, 48000) == ("01:00:00:00", "01:00:00:02")
    assert counting.span(1920, 3840, 48000) == ("01:00:00:01", "01:00:00:02")
    assert counting.span(0, 1, 48000) == ("01:00:00:00", "01:00:00:01")


@given(st.sampled_from(sorted(RATES)), st.integers(0, 10**9), st.sampled_from([44100, 48000, 96000]))
def test_spans_are_exact(name: str, sample: int, sample_rate: int) -> None:
    counting = Timecode(RATES[name])
    first, _ = counting.span(sample, sample + 1, sample_rate)
    frame = int(Fraction(sample, sample_rate) * RATES[name] // 1)
    assert first == counting.text(frame)
    assert Fraction(frame) / RATES[name] <= Fraction(sample, sample_rate) < Fraction(frame + 1) / RATES[name]


def test_rates_are_numbers_or_texts() -> None:
    assert Timecode.of(25) == Timecode.of(25.0) == Timecode.of("25")
    assert Timecode.of(29.97).drop
    assert not Timecode.of(23.976).drop
    assert not Timecode.of(29.97, "01:00:00:00").drop
    assert Timecode.of(29.97, "01:00:00;00").first == 107892


@pytest.mark.parametrize(
    ("rate", "start", "message"),
    [
        (26, None, "timecode=26: give one of the rates 23.976, 24, 25"),
        (25, "01:00:00;00", "drop-frame counting, of 29.97 and 59.94 only"),
        (23.976, "01:00:00;00", "drop-frame counting, of 29.97 and 59.94 only"),
        (25, "01:00:00:25", "does not exist with 25 frames in a second"),
        (25, "24:00:00:00", "does not exist"),
        (29.97, "00:01:00;01", "leaves this number out"),
        (25, "1:00", "is no time code; give hh:mm:ss:ff"),
    ],
)
def test_what_does_not_exist_is_refused(rate: float, start: str | None, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Timecode.of(rate, start)
