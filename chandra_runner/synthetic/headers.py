"""Header cards of the synthetic files: the keywords of the archive's files, in their order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chandra_runner.fits.gti import GoodTimes
from chandra_runner.native.geometry import FOCAL_LENGTH, Array

from .catalog import ACIS_TRANSFER, FrameCycle, Interval, Sample
from .sky import TABLE_OFFSET, pointing_of

Card = tuple[str, Any, str]

VERSION = 1
"""Processing version in file names (N001)."""
MJDREF = 50814.0
"""Modified Julian date of mission time 0, TT."""
_MISSION_START = datetime(1998, 1, 1)
NOT_FLIGHT_DATA = "Simulated by chandra_runner's archive 'sample'; not flight data"


@dataclass(frozen=True)
class EventList:
    """One event list of a synthetic observation, with the data for its headers.

    Parameters
    ----------
    sample : Sample
        The observation.
    intervals : tuple of Interval
        Observing intervals; several in a merged event list.
    cycle : FrameCycle
        The frames of the event list.
    gtis : GoodTimes
        Good times by chip, the aimpoint chip first.
    """

    sample: Sample
    intervals: tuple[Interval, ...]
    cycle: FrameCycle
    gtis: GoodTimes

    @property
    def start(self) -> float:
        """TSTART, s."""
        return self.intervals[0].start

    @property
    def stop(self) -> float:
        """TSTOP, s."""
        return self.intervals[-1].stop

    @property
    def root(self) -> str:
        """Start of the file names of the interval: ``acisf90007_001N001_e1``."""
        return f"{self._prefix}_{self.intervals[0].number:03d}N{VERSION:03d}{self.cycle.tag}"

    @property
    def level_2_root(self) -> str:
        """Start of the file names of level 2, which is made of all intervals: ``acisf90007N001_e1``."""
        return f"{self._prefix}N{VERSION:03d}{self.cycle.tag}"

    @property
    def aspect_names(self) -> list[str]:
        """File names of the aspect solutions."""
        obsid = self.sample.obsid
        return [f"pcadf{obsid:05d}_{i.number:03d}N{VERSION:03d}_asol1.fits" for i in self.intervals]

    @property
    def _prefix(self) -> str:
        return f"{self.sample.instrument.lower()}f{self.sample.obsid:05d}"


def date(time: float) -> str:
    """Return a mission time (s) as a date, TT."""
    return (_MISSION_START + timedelta(seconds=time)).isoformat(timespec="seconds")


def primary_cards(events: EventList) -> Iterator[Card]:
    """Yield the cards of the empty primary HDU."""
    yield "HDUNAME", "PRIMARY", ""
    yield from _origin()
    yield from _time_cards(events.start, events.stop)
    yield from _identity(events)
    yield "INSTRUME", events.sample.instrument, "Instrument"


def table_cards(events: EventList, content: str, classes: tuple[str, str]) -> Iterator[Card]:
    """Yield the cards that all tables of an event list have."""
    sample = events.sample
    yield from _origin()
    yield "CONTENT", content, "What data product"
    yield "HDUCLASS", "OGIP" if classes[0] in ("EVENTS", "GTI") else "ASC", ""
    yield "HDUCLAS1", classes[0], ""
    yield "HDUCLAS2", classes[1], ""
    yield from _time_cards(events.start, events.stop)
    yield "TIMEPIXR", 0.5, ""
    yield "TIMEDEL", _frame_time(events), "[s] Time resolution of data"
    yield from _identity(events)
    yield from _pointing_cards(sample)
    yield "INSTRUME", sample.instrument, "Instrument"
    yield from _exposure_cards(events)


def aspect_cards(events: EventList, time: Array) -> Iterator[Card]:
    """Yield the cards of the aspect solution."""
    yield from _origin()
    yield "CONTENT", "ASPSOLOBI", "What data product"
    yield "HDUCLASS", "ASC", ""
    yield "HDUCLAS1", "TEMPORALDATA", ""
    yield "HDUCLAS2", "ASPSOL", ""
    yield from _time_cards(float(time[0]), float(time[-1]))
    yield "TIMEPIXR", 0.5, ""
    yield "TIMEDEL", float(time[1] - time[0]), "[s] Time resolution of data"
    yield from _identity(events)
    yield from _pointing_cards(events.sample)
    yield "INSTRUME", "PCAD", "Instrument"
    yield "OBSDET", events.sample.instrument, "Detector in focus"


def event_cards(events: EventList) -> Iterator[Card]:
    """Yield the cards that only EVENTS has: companion files, modes, coordinate systems."""
    yield "ASOLFILE", ",".join(events.aspect_names), ""
    for keyword, kind in (("BPIXFILE", "bpix1"), ("MASKFILE", "msk1"), ("FLTFILE", "flt1")):
        yield keyword, f"{events.root}_{kind}.fits", ""
    names = ("DY_AVG", "DZ_AVG", "DTH_AVG")
    for keyword, offset, unit in zip(names, TABLE_OFFSET, ("mm", "mm", "deg"), strict=True):
        yield keyword, offset, f"[{unit}] Mean over the observation"
    yield "CALDBVER", "NONE", "no flight calibration was applied"
    yield "TIME_ADJ", "NONE", "time adjustment algorithm"
    yield from _hrc_event_cards(events) if events.sample.instrument == "HRC" else _acis_event_cards(events)


def sky_cards(sample: Sample, columns: tuple[int, int]) -> Iterator[Card]:
    """Yield the celestial coordinates of columns X and Y, which are given by number."""
    pointing = pointing_of(sample)
    pixel = pointing.detector.pixel / 3600
    axes = (("RA---TAN", sample.ra, -pixel), ("DEC--TAN", sample.dec, pixel))
    for number, (kind, value, step) in zip(columns, axes, strict=True):
        yield f"TCTYP{number}", kind, ""
        yield f"TCRVL{number}", value, ""
        yield f"TCRPX{number}", pointing.detector.center, ""
        yield f"TCDLT{number}", step, ""
        yield f"TCUNI{number}", "deg", ""


def subspace_cards(events: EventList, level: int) -> Iterator[Card]:
    """Yield the data subspace of EVENTS: good times and, in level 2, grades of each chip."""
    shared = events.gtis.shared
    grades = level == 2 and not shared
    yield "DSTYP1", "time", ""
    yield "DSVAL1", "TABLE", ""
    yield "DSFORM1", "D", ""
    yield "DSUNIT1", "s", ""
    if not shared:
        yield "DSTYP2", "ccd_id", ""
        yield "DSFORM2", "I", ""
    if grades:
        yield "DSTYP3", "grade", ""
        yield "DSFORM3", "I", ""
    for number, chip in enumerate(events.gtis.by_chip, 1):
        prefix = str(number) if number > 1 else ""
        yield f"{prefix}DSREF1", ":GTI" if shared else f":GTI{chip}", ""
        if not shared:
            yield f"{prefix}DSVAL2", f"{chip}:{chip}", ""
        if grades:
            yield f"{prefix}DSVAL3", "0:0,2:2,3:3,4:4,6:6", ""


def _origin() -> Iterator[Card]:
    yield "ORIGIN", "SIMULATION", "NOT flight data"
    yield "CREATOR", "chandra_runner sample", ""
    yield "REVISION", VERSION, ""
    yield "DATACLAS", "SIMULATED", ""


def _time_cards(start: float, stop: float) -> Iterator[Card]:
    yield "MJD-OBS", MJDREF + start / 86400, ""
    yield "DATE-OBS", date(start), "TT"
    yield "DATE-END", date(stop), "TT"
    yield "TIMESYS", "TT", ""
    yield "MJDREF", MJDREF, "[d] MJD zero point for times"
    yield "TIMEZERO", 0.0, "[s] Clock correction"
    yield "TIMEUNIT", "s", ""
    yield "TIMEREF", "LOCAL", ""
    yield "TASSIGN", "SATELLITE", ""
    yield "CLOCKAPP", True, ""
    yield "TIERRELA", 1e-9, ""
    yield "TIERABSO", 5e-5, ""
    yield "TSTART", start, "[s] Observation start time (MET)"
    yield "TSTOP", stop, "[s] Observation end time (MET)"


def _identity(events: EventList) -> Iterator[Card]:
    sample = events.sample
    yield "MISSION", "AXAF", "Mission (simulated)"
    yield "TELESCOP", "CHANDRA", "Telescope (simulated)"
    yield "TITLE", "SIMULATED OBSERVATION - NOT FLIGHT DATA", ""
    yield "OBSERVER", "Merged" if len(events.intervals) > 1 else "chandra_runner", ""
    yield "OBJECT", sample.target, ""
    yield "OBS_ID", str(sample.obsid), "reserved, no real observation"
    yield "OBI_NUM", events.intervals[0].number, ""
    yield "SEQ_NUM", f"{sample.obsid * 10}", "no real sequence"
    yield "OBS_MODE", "POINTING", ""
    yield "DATAMODE", sample.datamode, ""
    if sample.instrument == "ACIS":
        yield "READMODE", "TIMED", ""
    yield "CYCLE", events.cycle.letter, "events from which exps? Prim/Second/Both"
    yield "GRATING", "NONE", ""
    yield "DETNAM", sample.detname, ""
    yield "ASPTYPE", "KALMAN", ""


def _pointing_cards(sample: Sample) -> Iterator[Card]:
    yield "RADESYS", "ICRS", ""
    yield "EQUINOX", 2000.0, ""
    for axis, value in zip("XYZ", sample.sim, strict=True):
        yield f"SIM_{axis}", value, "[mm]"
    yield "FOC_LEN", FOCAL_LENGTH, "[mm] HRMA focal length"
    yield "DEFOCUS", 0.0, "[mm]"
    for suffix in ("PNT", "NOM"):
        yield f"RA_{suffix}", sample.ra, "[deg]"
        yield f"DEC_{suffix}", sample.dec, "[deg]"
        yield f"ROLL_{suffix}", sample.roll, "[deg]"
    ra, dec = sample.position(sample.sources[0])
    yield "RA_TARG", ra, "[deg]"
    yield "DEC_TARG", dec, "[deg]"


def _exposure_cards(events: EventList) -> Iterator[Card]:
    gtis = {"": events.gtis.first}
    if not events.gtis.shared:
        gtis |= {str(chip): gti for chip, gti in events.gtis.by_chip.items()}
    for suffix, gti in gtis.items():
        ontime = gti.total()
        livetime = ontime * events.cycle.dtcor
        yield f"ONTIME{suffix}", ontime, "[s] Sum of GTIs"
        yield f"{'LIVTIME' if suffix else 'LIVETIME'}{suffix}", livetime, "[s] ONTIME x DTCOR"
        yield f"{'EXPOSUR' if suffix else 'EXPOSURE'}{suffix}", livetime, "[s]"
    yield "DTCOR", events.cycle.dtcor, "Dead time correction"


def _frame_time(events: EventList) -> float:
    """Return the time between two frames; in interleaved mode, the time that one of them takes."""
    if events.cycle.period == 1:
        return events.sample.frame
    return events.cycle.exposure + ACIS_TRANSFER


def _acis_event_cards(events: EventList) -> Iterator[Card]:
    sample, cycle = events.sample, events.cycle
    first, last = sample.rows
    yield "FP_TEMP", 153.65, "[K] Focal Plane Temperature"
    yield "EXPTIME", cycle.exposure, "[s]"
    yield "TIMEDELA", _frame_time(events) if cycle.letter == "P" else 0.0, "[s] of a primary frame"
    yield "TIMEDELB", _frame_time(events) if cycle.letter == "S" else 0.0, "[s] of a secondary frame"
    yield "FLSHTIME", 0.0, "[s]"
    yield "DTYCYCLE", cycle.period - 1, "primary frames per secondary one"
    yield "FIRSTROW", first, "first row of the (sub)array"
    yield "NROWS", last - first + 1, "rows in the (sub)array"
    yield "PIX_ADJ", "NONE", "positions are those of pixel centres"
    yield "RAND_SKY", 0.0, ""
    yield "RAND_PI", 1.0, ""
    yield "CHKVFPHA", False, ""
    yield "CTI_CORR", False, ""
    yield "TGAINCOR", "F", ""
    yield "GRADESYS", "ASCA", ""
    yield "STATFILT", "0" * 32, ""
    systems = ("CHIP:AXAF-ACIS-1.0", "TDET:ACIS-2.2", "DET:ASC-FP-1.1", "SKY:ASC-FP-1.1")
    yield from ((f"ACSYS{number}", system, "") for number, system in enumerate(systems, 1))


def _hrc_event_cards(events: EventList) -> Iterator[Card]:
    yield "DTFFILE", f"{events.root}_dtf1.fits", ""
    yield "RANGELEV", 125, ""
    yield "WIDTHRES", 3, ""
    systems = ("CHIP:AXAF-HRC-1.1", "TDET:HRC-2.4I", "DET:ASC-FP-2.1", "SKY:ASC-FP-2.1")
    yield from ((f"ACSYS{number}", system, "") for number, system in enumerate(systems, 1))


def index_cards(events: EventList) -> Iterator[Card]:
    """Yield the cards of the table in oif.fits; like the archive's, its times have seven digits."""
    yield "EXTVER", 1, ""
    yield "HDUNAME", "GROUPING", "ASCDM block name"
    yield from _origin()
    yield "CONTENT", "OIF", "What data product"
    yield "HDUCLASS", "ASC", ""
    yield "HDUCLAS1", "GROUPING", ""
    yield from _time_cards(float(f"{events.start:.6e}"), float(f"{events.stop:.6e}"))
    yield from _identity(events)
    yield from _pointing_cards(events.sample)
    yield "INSTRUME", events.sample.instrument, "Instrument"
    yield from _exposure_cards(events)
