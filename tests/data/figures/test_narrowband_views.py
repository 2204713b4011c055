"""Narrow-band views: telephone codecs at the rate of telephones, and crops that are upsampled after rendering."""

from __future__ import annotations

import numpy as np
import pytest
from figure_views import small

from contrastive_artifacts import artifacts
from contrastive_artifacts.artifacts.dsp.narrow import rate_for
from contrastive_artifacts.artifacts.kinds.bandlimit import severity_of
from contrastive_artifacts.core.errors import ParameterError
from contrastive_artifacts.data.corpora.builtin import builtin
from contrastive_artifacts.data.figures import Recipe, block_views
from contrastive_artifacts.data.figures.views import FigureView, _upsampled
from contrastive_artifacts.data.views.narrowband import TELEPHONE_CODECS

RATE = 44100


def codecs(view) -> list[str]:
    steps = view.params["parameters"].get("chain", [view.params])
    return [step["parameters"]["codec"] for step in steps if step["artifact"] == "codec"]


@pytest.mark.parametrize("counts", [(1.0,), (0.0, 1.0)])
def test_damaged_views_at_8_khz_hold_a_telephone_codec(counts):
    corpus = builtin(0, 2, 2.0, 8000)
    recipe = small(names=("hiss", "codec", "clicks"), telephone=1.0, counts=counts, barely=0.0, damaged=6)
    clean, *damaged = block_views(corpus, corpus.clips, recipe, 0)
    assert not clean.severities
    for view in damaged:
        (codec,) = codecs(view)
        assert codec in TELEPHONE_CODECS
        assert len(view.params["parameters"].get("chain", [1])) == len(counts)
    assert len({codecs(view)[0] for view in damaged}) == 2


def test_at_other_rates_or_without_codecs_nothing_changes():
    wide, narrow = builtin(0, 2, 2.0, RATE), builtin(0, 2, 2.0, 8000)
    for corpus, names in ((wide, ("hiss", "codec", "hum")), (narrow, ("hiss", "hum"))):
        views = [block_views(corpus, corpus.clips, small(names=names, telephone=share), 0) for share in (0.0, 1.0)]
        for one, other in zip(*views, strict=True):
            np.testing.assert_array_equal(one.waveform, other.waveform)


def narrow_blocks(names: tuple[str, ...]):
    """Crops of lower rates, each as it is and upsampled."""
    corpus = builtin(0, 3, 2.0, RATE)
    settings = {"counts": (1.0,), "varied": True, "spliced": 0.5, "telephone": 0.0, "barely": 0.2}
    for block in range(40):
        low, high = (
            block_views(corpus, corpus.clips, small(names=names, upsampled=share, **settings), block)
            for share in (0.0, 1.0)
        )
        if low[0].sample_rate != high[0].sample_rate:
            yield low, high


def test_upsampled_crops_have_the_rate_of_their_clip_an_empty_upper_band_and_that_label():
    count = 0
    for low, high in narrow_blocks(("hiss", "clicks", "bandlimit")):
        count += 1
        rate = low[0].sample_rate
        for view in high:
            assert view.sample_rate == RATE
            assert len(view.waveform) == round(1.6 * RATE)
            power = np.abs(np.fft.rfft(view.waveform * np.hanning(len(view.waveform)))) ** 2
            above = np.arange(len(power)) * RATE / len(view.waveform) > 0.51 * rate
            assert power[above].sum() < 1e-6 * power.sum()
            assert view.severities["bandlimit"] >= severity_of(0.4565 * rate) > 0.1
            assert view.segments["bandlimit"].tolist() == [[0, len(view.waveform)]]
    assert 3 <= count <= 25  # a quarter of the crops


def test_other_faults_of_upsampled_crops_stay_at_their_place():
    for low, high in narrow_blocks(("hiss", "clicks")):
        ratio = RATE / low[0].sample_rate
        for before, after in zip(low, high, strict=True):
            assert (before.severities, before.params, before.barely) == (after.severities, after.params, after.barely)
            for name, rows in before.segments.items():
                assert np.abs(after.segments[name] - rows * ratio).max() <= ratio
                assert (after.segments[name][:, 1] > after.segments[name][:, 0]).all()
            assert after.offset / RATE == pytest.approx(before.offset / before.sample_rate, abs=1e-3)
            back = np.interp(np.arange(len(before.waveform)) * ratio, np.arange(len(after.waveform)), after.waveform)
            middle = slice(200, -200)
            assert np.corrcoef(back[middle], before.waveform[middle])[0, 1] > 0.98


def test_a_window_that_falls_short_in_the_higher_rate_is_whole():
    """At 8095 Hz a window of 2.51 s is cut to whole samples: at 44.1 kHz two are missing, and the clip is no longer."""
    rate = 8095
    context = np.random.default_rng(0).normal(0, 0.1, round(2.51 * rate)).astype(np.float32)
    view = FigureView(context, context, 0, rate, 0, 0, {}, {}, {})
    wider = _upsampled(view, RATE, small(window_s=2.51))
    assert len(wider.waveform) == round(2.51 * RATE)
    assert wider.offset == 0


def test_the_severity_of_a_band_is_that_of_the_cutoff():
    for severity in (0.0, 0.3, 1.0):
        params = artifacts.draw("bandlimit", severity, 3)["parameters"]
        assert severity_of(params["cutoff_hz"]) == pytest.approx(severity)
    assert severity_of(0.4565 * 8000) == pytest.approx(0.917, abs=0.001)
    assert severity_of(20000) == 0.0
    assert rate_for(0.4565 * 8000) == 8000


@pytest.mark.parametrize("name", ["telephone", "upsampled"])
def test_shares_out_of_range_are_refused(name):
    with pytest.raises(ParameterError, match=name):
        Recipe(**{name: 1.5})
