"""ARFs give their area to observations like the one that they were made for, and to no others."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.native.arf import check_arf, read_arf, reference_chip
from chandra_runner.native.effective_area import vignetting

from .fields import events_path

ARFS = {
    "calibration/chandra_acis_i.arf": ({0}, True, None, True),
    "calibration/chandra_acis_s.arf": ({6, 7}, True, None, True),
    "reference/1842/1842.arf": ({1}, True, None, True),
    "reference/spectra/12845/12845.warf": ({7}, True, None, True),
    "reference/spectra/arf/9774.arf": ({7}, False, 1.247, True),
    "reference/spectra/arf/obs1.arf": ({7}, False, 0.079, True),
    "reference/spectra/arf/3c273.arf": ({7}, False, None, False),
    "reference/spectra/arf/bubble.arf": ({7}, False, 0.674, False),
    "reference/spectra/24564_hrc/hrcf24564_000N030_r0001_arf3.fits.gz": (set(), False, 5.908, True),
}
"""ARFs by CIAO of 2003 to 2023: chips, whether it is the mean over a region, off-axis angle (arcmin), and
whether it includes the dead area."""

ON_AXIS = "reference/spectra/arf/9774.arf"
ACIS_S = {"TELESCOP": "CHANDRA", "INSTRUME": "ACIS", "GRATING": "NONE", "DETNAM": "ACIS-235678",
          "OBS_ID": "9774", "TSTART": 3.133e8}  # fmt: skip


def header_of(path):
    return fits.getheader(path, "EVENTS")


def write_arf(path, area=100.0, **header):
    columns = [
        fits.Column(name, "E", array=np.array(values, dtype="f4"))
        for name, values in (("ENERG_LO", [0.1, 5]), ("ENERG_HI", [5, 9]), ("SPECRESP", [area, area]))
    ]
    fits.BinTableHDU.from_columns(columns, fits.Header(header), name="SPECRESP").writeto(path)
    return read_arf(path)


@pytest.mark.parametrize("name", ARFS)
def test_headers_of_ciao_say_what_an_arf_was_made_for(shared_data, name):
    chips, is_weighted, off_axis, has_dead_area = ARFS[name]
    arf = read_arf(shared_data / "real" / name)
    assert (arf.chips, arf.is_weighted, arf.has_dead_area) == (chips, is_weighted, has_dead_area)
    assert arf.off_axis == (off_axis if off_axis is None else pytest.approx(off_axis, abs=2e-3))


def test_an_arf_gives_its_area(shared_data):
    path = shared_data / "real/calibration/chandra_acis_i.arf"
    table = fits.getdata(path, "SPECRESP")
    row = 400
    middle = (float(table["ENERG_LO"][row]) + float(table["ENERG_HI"][row])) / 2
    assert read_arf(path).area(middle) == pytest.approx(table["SPECRESP"][row])
    assert 200 < read_arf(path).area(2.3) < 300


def test_an_arf_of_a_position_gives_the_area_on_the_axis(shared_data):
    path = shared_data / "real/reference/spectra/24564_hrc/hrcf24564_000N030_r0001_arf3.fits.gz"
    table = fits.getdata(path, "SPECRESP")
    middle = (table["ENERG_LO"].astype(float) + table["ENERG_HI"]) / 2
    there = np.interp(1.5, middle, table["SPECRESP"])
    assert read_arf(path).area(1.5) == pytest.approx(there / vignetting(1.5, np.array(5.908)), rel=1e-4)


def test_two_observations_of_one_year_have_the_same_area_on_the_axis(shared_data):
    """ObsIDs 9774 and 6903: positions 1.2' and 0.1' off axis, 2007 and 2006."""
    areas = [
        read_arf(shared_data / f"real/reference/spectra/arf/{name}.arf").area(3.0)
        for name in ("9774", "obs1")
    ]
    assert areas[0] / areas[1] == pytest.approx(1, abs=0.01)


def test_an_energy_that_an_arf_does_not_include_is_refused(shared_data):
    arf = read_arf(shared_data / "real/calibration/chandra_acis_i.arf")
    with pytest.raises(DataError, match=r"chandra_acis_i.arf does not include the energy 20 keV"):
        arf.area(20.0)


def test_a_file_that_is_not_an_arf_is_refused(shared_data):
    with pytest.raises(DataError, match=r"hrma_vignetting.fits.gz has no table with the columns ENERG_LO"):
        read_arf(shared_data / "real/calibration/hrma_vignetting.fits.gz")


def test_an_area_of_zero_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"empty.arf has the value 0 at 2.6 keV"):
        write_arf(tmp_path / "empty.arf", area=0).area(2.6)


def test_the_arf_of_a_dispersed_spectrum_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"heg.arf is the ARF of a dispersed spectrum \(TG_M = -1\)"):
        write_arf(tmp_path / "heg.arf", TG_M=-1)


@pytest.mark.parametrize(
    ("name", "events", "aim_chip", "message"),
    [
        ("calibration/chandra_acis_i.arf", "sim/90003", 0, "INSTRUME ACIS, and the events have HRC"),
        ("reference/spectra/24564_hrc/hrcf24564_000N030_r0001_arf3.fits.gz", "sim/90004", 2,
         "DETNAM HRC-I, and the events have HRC-S"),
        (ON_AXIS, "sim/90005", 7, "GRATING NONE, and the events have HETG"),
        ("reference/spectra/arf/3c273.arf", "sim/90002", 7, "GRATING HETG, and the events have NONE"),
        ("calibration/chandra_acis_i.arf", "sim/90002", 7,
         r"chip 0 \(front-illuminated\), and the aimpoint is on chip 7 \(back-illuminated\)"),
        (ON_AXIS, "real/22130", 3, r"chip 7 \(back-illuminated\), and the aimpoint is on chip 3"),
        ("calibration/chandra_acis_s.arf", "real/22130", 3, r"chip 6 \(front.*\) and 7 \(back"),
    ],
)  # fmt: skip
def test_an_arf_of_another_instrument_is_refused(shared_data, name, events, aim_chip, message):
    arf = read_arf(shared_data / "real" / name)
    with pytest.raises(DataError, match=message):
        list(check_arf(arf, header_of(events_path(shared_data / events)), aim_chip))


def test_an_arf_of_the_same_observation_needs_no_warning(shared_data):
    assert list(check_arf(read_arf(shared_data / "real" / ON_AXIS), ACIS_S, 7)) == []


def test_an_arf_of_another_epoch_is_told_with_the_years_between(shared_data):
    arf = read_arf(shared_data / "real/calibration/chandra_acis_i.arf")
    (weighted, epoch) = check_arf(arf, header_of(events_path(shared_data / "real/754")), 3)
    assert "no vignetting is applied" in weighted
    assert epoch == "chandra_acis_i.arf was made for ObsID 15173, 13.0 yr after this observation"


def test_an_arf_of_several_chips_counts_as_that_of_the_aimpoint(shared_data):
    arf = read_arf(shared_data / "real/calibration/chandra_acis_s.arf")
    assert "is for the chips 6 and 7; it is taken to be for chip 7" in next(check_arf(arf, ACIS_S, 7))
    assert reference_chip(arf, 7) == 7


def test_an_arf_of_another_chip_of_the_same_kind_counts_as_that_chips(shared_data):
    arf = read_arf(shared_data / "real/reference/1842/1842.arf")
    assert reference_chip(arf, 3) == 1


def test_an_arf_without_history_is_for_the_chips_of_its_detnam(tmp_path):
    arf = write_arf(
        tmp_path / "acis_i.arf", DETNAM="ACIS-01236", **{k: ACIS_S[k] for k in ("TELESCOP", "INSTRUME")}
    )
    assert arf.chips == {0, 1, 2, 3, 6}
    with pytest.raises(DataError, match=r"and 6 \(front-illuminated\), and the aimpoint is on chip 7"):
        list(check_arf(arf, ACIS_S, 7))


def test_an_arf_that_does_not_say_what_it_is_for_is_accepted_and_told(tmp_path):
    arf = write_arf(tmp_path / "bare.arf", TELESCOP="CHANDRA")
    told = list(check_arf(arf, ACIS_S, 7))
    assert told == [
        "bare.arf does not state INSTRUME, GRATING; it is taken to be for this instrument",
        "bare.arf does not say for which chip it was made; it is taken to be for chip 7",
    ]
    assert reference_chip(arf, 7) == 7
