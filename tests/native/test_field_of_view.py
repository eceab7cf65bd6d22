"""The field of view follows from events and companion files, and missing files are noted."""

from __future__ import annotations

from dataclasses import astuple

import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile
from chandra_runner.native.field_of_view import Companions, chip_numbers, load_field_of_view
from chandra_runner.native.geometry import Pointing

from .fields import companions, events_path, field_of


def test_the_live_time_of_hrc_follows_its_dead_time_file(shared_data, tmp_path):
    directory = shared_data / "sim/90003"
    with fits.open(companions(directory).dtf) as hdus:
        hdus[1].data["DTF"] = 0.5
        hdus.writeto(tmp_path / "dtf1.fits")
    with EventFile.open(events_path(directory)) as events:
        assert events.dtcor == pytest.approx(0.9957)
        field = load_field_of_view(events, Companions(companions(directory).asol, dtf=tmp_path / "dtf1.fits"))
        assert field.dtcor == 0.5
        assert field.chips[0].seconds.sum() == pytest.approx(0.5 * events.good_times.first.total())


def test_each_chip_has_its_own_good_time(shared_data):
    field = field_of(shared_data / "sim/90001")
    header = fits.getheader(events_path(shared_data / "sim/90001"), "EVENTS")
    live = {chip.number: chip.seconds.sum() for chip in field.chips}
    assert list(live) == [3, 0, 1, 2, 6]
    for number, seconds in live.items():
        assert seconds == pytest.approx(header[f"LIVTIME{number}"], rel=1e-9)


def test_with_good_times_for_all_chips_their_numbers_come_from_the_header(shared_data, tmp_path):
    with fits.open(events_path(shared_data / "sim/90001")) as hdus:
        fits.HDUList([hdus[0], hdus["EVENTS"]]).writeto(tmp_path / "evt2.fits")
    with EventFile.open(tmp_path / "evt2.fits") as events:
        assert events.good_times.shared
        assert chip_numbers(events, Pointing.of(events.header)) == (0, 1, 2, 3, 6)


def test_with_all_companion_files_there_are_no_notes(shared_data):
    assert field_of(shared_data / "sim/90002").notes == ()


def test_missing_companion_files_are_noted(shared_data):
    with EventFile.open(events_path(shared_data / "real/754")) as events:
        notes = load_field_of_view(events, Companions()).notes
    assert len(notes) == 4
    assert "the 140 columns" in notes[2]


@pytest.mark.parametrize(
    ("obsid", "expected"),
    [
        ("11843", (4111.83, 4116.91, 4073.99, 4079.07)),
        ("13851", (3602.47, 4543.99, 1763.81, 7008.83)),
        ("15043", (4079.24, 4084.32, 4113.41, 4118.49)),
    ],
)
def test_the_extent_of_a_list_that_ciao_cut_is_that_of_its_region(shared_data, obsid, expected):
    with EventFile.open(shared_data / f"real/reference/ltc1/{obsid}_source_evt2.fits.gz") as events:
        field = load_field_of_view(events, Companions())
    assert field.is_cut
    assert astuple(field.extent) == pytest.approx(expected, abs=0.01)
    # Columns without events are outside of the region, not bad.
    assert "no bad-pixel file: all pixels count as good" in field.notes
    assert not any("region" in note for note in field.notes)


def test_a_region_that_cannot_be_read_is_told_and_the_whole_chips_are_taken(shared_data, tmp_path):
    directory = shared_data / "sim/90002"
    found, whole = load_cut(directory, tmp_path, "MASK&Circle(4000,4000,50)"), field_of(directory)
    (note,) = found.notes
    assert "a region that cannot be read ('MASK' is not a region): the exposure map covers the whole" in note
    assert found.extent == whole.extent
    assert not found.is_cut


def test_a_region_outside_the_field_of_view_is_refused(shared_data, tmp_path):
    with pytest.raises(DataError, match="events were cut is outside the field of view"):
        load_cut(shared_data / "sim/90002", tmp_path, "Circle(100,100,5)")


def load_cut(directory, work, region):
    """The field of view of an event list whose header says that it was cut to a region."""
    with fits.open(events_path(directory)) as hdus:
        hdus["EVENTS"].header.update(DSTYP20="sky(x,y)", DSVAL20=region)
        hdus.writeto(work / "evt2.fits")
    with EventFile.open(work / "evt2.fits") as events:
        return load_field_of_view(events, companions(directory))


def test_missing_columns_are_named(shared_data, tmp_path):
    with fits.open(events_path(shared_data / "sim/90006").parent / "acisf90006N001_e1_evt2.fits.gz") as hdus:
        events = hdus["EVENTS"]
        events.columns.del_col("detx")
        events.writeto(tmp_path / "evt2.fits")
    with (
        EventFile.open(tmp_path / "evt2.fits") as file,
        pytest.raises(DataError, match=r"evt2.fits: EVENTS has no column detx"),
    ):
        load_field_of_view(file, Companions())


def test_an_aspect_solution_of_another_time_is_refused(shared_data):
    directory = shared_data / "sim/90006"
    other = companions(shared_data / "sim/90001").asol
    with (
        EventFile.open(next(directory.glob("primary/*_e1_evt2.fits.gz"))) as events,
        pytest.raises(DataError, match=r"pcadf90001.*covers only \d+ of \d+ s of good time"),
    ):
        load_field_of_view(events, Companions(other))


def test_good_time_without_aspect_solution_is_refused(shared_data, tmp_path):
    directory = shared_data / "sim/90002"
    with fits.open(companions(directory).asol[0]) as hdus:
        table = fits.BinTableHDU(hdus[1].data[: int(0.9 * len(hdus[1].data))], hdus[1].header)
        table.writeto(tmp_path / "short_asol1.fits")
    with (
        EventFile.open(events_path(directory)) as events,
        pytest.raises(DataError, match=r"short_asol1.fits covers only \d+ of \d+ s of good time"),
    ):
        load_field_of_view(events, Companions((tmp_path / "short_asol1.fits",)))
