"""Image files have the coordinates that CIAO's have, and headers that describe them."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from chandra_runner.fits.event_file import EventFile
from chandra_runner.native.geometry import Pointing
from chandra_runner.native.grid import parse_grid
from chandra_runner.native.image_file import ImageLabel, image_header, write_image

from ..event_files import assert_sound
from .fields import events_path, wcs_of

GRID = parse_grid("3142:5258:4,3278:5238:4")


@pytest.fixture
def header(shared_data):
    with EventFile.open(events_path(shared_data / "real/754")) as events:
        return image_header(events.header, Pointing.of(events.header), GRID, events.good_times, 0.98)


def test_pixels_are_where_ciao_has_them(shared_data, header):
    ciao = fits.getheader(shared_data / "real/reference/754/acisf00754_2.1-10keV_flux.img.gz")
    placed = [f"{name}{axis}{which}" for axis in (1, 2) for which in ("", "P") for name in
              ("CRVAL", "CRPIX", "CDELT", "CTYPE")]  # fmt: skip
    for key in (*placed, "LTV1", "LTM1_1", "LTV2", "LTM2_2"):
        same = ciao[key] if isinstance(ciao[key], str) else pytest.approx(ciao[key], rel=1e-9)
        assert header[key] == same, key


def test_events_fall_on_their_own_sky_position(shared_data, header):
    """From sky pixels through both WCS of the image to the celestial position of the event columns."""
    with EventFile.open(events_path(shared_data / "real/754")) as events:
        some = next(events.chunks(100))
    celestial, physical = wcs_of(header), wcs_of(header, "P")
    column, row = physical.all_world2pix(some["x"].astype(float), some["y"].astype(float), 1)
    np.testing.assert_allclose(column, (some["x"] - 3142.0) / 4 + 0.5)
    ra, dec = celestial.all_pix2world(column, row, 1)
    own = WCS(naxis=2)
    own.wcs.ctype = "RA---TAN", "DEC--TAN"
    own.wcs.crval, own.wcs.crpix = (228.47531614488, -59.140065478601), (4096.5, 4096.5)
    own.wcs.cdelt = -1.3666666666667e-4, 1.3666666666667e-4
    expected = own.all_pix2world(some["x"].astype(float), some["y"].astype(float), 1)
    np.testing.assert_allclose((ra, dec), expected, atol=1e-8)


def test_the_header_of_an_image_says_what_it_is(header, tmp_path):
    path = tmp_path / "a.img"
    label = ImageLabel(content="count image", unit="count", band="broad", energies=(0.5, 7.0, 2.3))
    write_image(path, np.ones(GRID.shape, dtype=np.int32), header, label, ["count image of a.fits"])
    written = fits.getheader(path)
    keywords = ("BUNIT", "BAND", "ENERGYLO", "ENERGYHI", "ENERGYEF", "OBS_ID", "DETNAM", "RADESYS")
    assert [written[key] for key in keywords] == [
        "count", "broad", 0.5, 7.0, 2.3, "754", "ACIS-012379", "ICRS"]  # fmt: skip
    assert written["EXPOSURE"] == pytest.approx(0.98 * written["ONTIME"])
    assert written["CREATOR"].startswith("chandra_runner")
    assert "count image of a.fits" in str(written["HISTORY"])
    assert "DATE" not in written
    assert_sound(path)


def test_images_keep_the_keywords_that_the_archives_image_keeps(shared_data):
    archived = fits.getheader(shared_data / "real/3591/primary/acisf03591N003_full_img2.fits.gz")
    with EventFile.open(events_path(shared_data / "real/3591")) as events:
        header = image_header(events.header, Pointing.of(events.header), GRID, events.good_times, 0.98)
    for key in (
        "MTYPE1", "MFORM1", "MTYPE2", "MFORM2", "HDUNAME", "MJD_OBS", "DS_IDENT", "CCD_ID", "FIRSTROW",
        "NROWS", "EXPTIME", "TIMEDELA", "GAINFILE", "TGAINFIL", "CTIFILE", "CALDBVER", "FP_TEMP", "DY_AVG",
        "PIX_ADJ", "TIERRELA", "TIERABSO", "TIMEPIXR", "BTIMNULL", "BTIMRATE", "ASOLFILE",
    ):  # fmt: skip
        assert header[key] == archived[key], key


def test_products_do_not_claim_to_come_from_the_archive(header, tmp_path):
    assert header["ORIGIN"] == "ASC"
    path = tmp_path / "a.img"
    label = ImageLabel(content="count image", unit="count", band="broad", energies=None)
    write_image(path, np.ones(GRID.shape, dtype=np.int32), header, label, [])
    assert not {"ORIGIN", "ASCDSVER"} & set(fits.getheader(path))


def test_hrc_has_a_band_without_energies(header, tmp_path):
    path = tmp_path / "a.img"
    label = ImageLabel(content="exposure map", unit="s", band="wide", energies=None)
    write_image(path, np.ones(GRID.shape, dtype=np.float32), header, label, [])
    assert fits.getheader(path)["BAND"] == "wide"
    assert "ENERGYLO" not in fits.getheader(path)
