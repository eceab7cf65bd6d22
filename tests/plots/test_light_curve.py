"""The plot of a light curve is the same bytes each time, and never fails because of the data."""

from __future__ import annotations

import struct
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from chandra_runner.native.flares import clean_sigma
from chandra_runner.native.light_curve import LightCurve
from chandra_runner.plots.light_curve import LightCurveCaption, plot_light_curve

CAPTION = LightCurveCaption(title="ObsID 42", subtitle="0.5-7 keV", start="2001-07-27T22:37:11 TT")
QUIET = [100, 90, 110, 95, 105] * 10


def draw(path: Path, counts: list[int], caption: LightCurveCaption = CAPTION) -> bytes:
    """Plot a light curve of bins of 100 s with these counts."""
    start = 1e8 + 100.0 * np.arange(len(counts))
    curve = LightCurve(
        time_min=start,
        time_max=start + 100.0,
        counts=np.array(counts),
        exposure=np.full(len(counts), 99.0),
        bin_size=100.0,
        area=1.0,
    )
    result = clean_sigma(curve.time_min, curve.time_max, curve.rate, allowed_sigma=3, min_length=3)
    plot_light_curve(path, curve, result, result.gti, caption)
    return path.read_bytes()


def test_it_is_a_png_of_fixed_size(tmp_path: Path) -> None:
    content = draw(tmp_path / "a.png", QUIET)
    assert content.startswith(b"\x89PNG")
    assert struct.unpack(">2I", content[16:24]) == (1200, 552)


def test_neither_the_time_nor_matplotlib_settings_change_it(tmp_path: Path) -> None:
    first = draw(tmp_path / "a.png", QUIET)
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "black"}):
        assert draw(tmp_path / "b.png", QUIET) == first
    assert b"Software" not in first


@pytest.mark.parametrize(
    "counts",
    [[*QUIET, 100_000], [0, *QUIET, 0], [1, 1, 1, 0, 1], [*[0, 0, 0, 1] * 20, 1, 1, 1, 3000], QUIET * 60],
    ids=["a giant flare", "empty bins", "equal bins", "few counts", "many bins"],
)
def test_any_light_curve_can_be_drawn(tmp_path: Path, counts: list[int]) -> None:
    assert draw(tmp_path / "a.png", counts)


def test_dollars_in_the_text_are_not_formulas(tmp_path: Path) -> None:
    assert draw(
        tmp_path / "a.png", QUIET, LightCurveCaption(title=r"$\frac", subtitle="a $ b $ c", start="$")
    )
