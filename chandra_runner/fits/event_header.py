"""Headers of event files: exposure keywords and GTI extensions that agree with the good times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from astropy.io import fits

from .event_file import EventFile
from .gti import GoodTimes, Gti, chip_key, is_gti
from .writer import add_provenance

_CCDS = range(10)
_GLOBAL = ("ONTIME", "LIVETIME", "EXPOSURE")
_PER_CHIP = ("ONTIME", "LIVTIME", "EXPOSUR")
_COMMENTS = ("[s] Sum of GTIs", "[s] Ontime multiplied by DTCOR", "[s] Exposure time")
_MISSION = ("MISSION", "TELESCOP", "INSTRUME", "OBS_ID")
_TIMING = ("MJDREF", "TIMESYS", "TIMEUNIT", "TIMEZERO", "TIMEREF", "TSTART", "TSTOP")


def set_exposure(header: fits.Header, good_times: GoodTimes, dtcor: float) -> None:
    """Set ONTIME, LIVETIME, EXPOSURE, DTCOR and the keywords of each chip to agree with the good times.

    The global keywords are those of the first (aimpoint) chip; EXPOSURE = LIVETIME = ONTIME x DTCOR.

    Parameters
    ----------
    header : Header
        The header, which is changed.
    good_times : GoodTimes
        Good times of the file.
    dtcor : float
        Live fraction of the good time.
    """
    header["DTCOR"] = (dtcor, header.comments["DTCOR"] if "DTCOR" in header else "Dead time correction")
    _set(header, _GLOBAL, good_times.first.total(), dtcor)
    # A chip has keywords if the header had them, or if there are good times for it; a chip that lost its good
    # times gets zeros.
    for ccd in _CCDS:
        if f"ONTIME{ccd}" in header or (ccd in good_times.by_chip and not good_times.shared):
            _set(header, [f"{key}{ccd}" for key in _PER_CHIP], good_times.of(ccd).total(), dtcor)


def gti_extensions(
    source: EventFile, good_times: GoodTimes, dtcor: float, history: Iterable[str]
) -> Iterator[fits.BinTableHDU]:
    """Yield a GTI extension for each chip, in order, with the headers of the source's GTI extensions.

    Parameters
    ----------
    source : EventFile
        The file whose headers are copied.
    good_times : GoodTimes
        Content of the extensions.
    dtcor : float
        Live fraction of the good time, for exposure keywords.
    history : iterable of str
        What was done, one line each.
    """
    # Headers of the source are kept, as they name time system and mission; a chip that is new gets the least.
    own = [hdu for hdu in source.extensions if is_gti(hdu)]
    headers = {chip_key(hdu): hdu.header for hdu in own}
    for chip, gti in good_times.by_chip.items():
        ccd = None if good_times.shared else chip
        hdu = gti_hdu(gti, ccd, headers.get(chip) or _minimal(source.header))
        if "ONTIME" in hdu.header:
            set_exposure(hdu.header, good_times, dtcor)
        add_provenance(hdu.header, history)
        yield hdu


def gti_hdu(gti: Gti, ccd: int | None, header: fits.Header) -> fits.BinTableHDU:
    """Return a GTI extension with CIAO's names.

    Parameters
    ----------
    gti : Gti
        The intervals.
    ccd : int, optional
        CCD number; None for intervals of all chips.
    header : Header
        Additional keywords.
    """
    times = (("START", gti.start), ("STOP", gti.stop))
    columns = [fits.Column(name, "1D", unit="s", array=array) for name, array in times]
    hdu = fits.BinTableHDU.from_columns(columns, header=header)
    hdu.header["EXTNAME"] = "GTI"
    hdu.header["HDUNAME"] = ("GTI" if ccd is None else f"GTI{ccd}", "ASCDM block name")
    hdu.header.update(HDUCLASS="OGIP", HDUCLAS1="GTI", HDUCLAS2="STANDARD")
    if ccd is not None:
        hdu.header["EXTVER"] = ccd
        hdu.header["CCD_ID"] = (ccd, "CCD for this table")
    return hdu


def filter_hdu(good_times: GoodTimes, history: Iterable[str]) -> fits.BinTableHDU:
    """Return the empty table that stands before the GTI extensions of a file of good times.

    CIAO looks for the good times of each chip in the data subspace of this table when the file is a filter,
    ``evt.fits[@gti.fits]``.

    Parameters
    ----------
    good_times : GoodTimes
        Content of the GTI extensions.
    history : iterable of str
        What was done, one line each.
    """
    columns = [fits.Column("TIME", "1D", array=[]), fits.Column("CCD_ID", "1I", array=[])]
    hdu = fits.BinTableHDU.from_columns(columns[: 1 if good_times.shared else 2], name="FILTER")
    hdu.header["HDUNAME"] = ("FILTER", "ASCDM block name")
    hdu.header.update(_subspace(good_times))
    add_provenance(hdu.header, history)
    return hdu


def _subspace(good_times: GoodTimes) -> Iterator[tuple[str, str]]:
    """Yield the data subspace keywords that select, for each chip, the times of its GTI extension."""
    yield from (("DSTYP1", "TIME"), ("DSVAL1", "TABLE"), ("DSFORM1", "D"), ("DSUNIT1", "s"))
    if good_times.shared:
        yield "DSREF1", ":GTI"
        return
    yield from (("DSTYP2", "CCD_ID"), ("DSFORM2", "I"))
    for component, chip in enumerate(good_times.by_chip, 1):
        prefix = "" if component == 1 else str(component)
        yield f"{prefix}DSREF1", f":GTI{chip}"
        yield f"{prefix}DSVAL2", f"{chip}:{chip}"


def _minimal(header: fits.Header) -> fits.Header:
    return fits.Header([header.cards[key] for key in (*_MISSION, *_TIMING) if key in header])


def _set(header: fits.Header, keys: Iterable[str], ontime: float, dtcor: float) -> None:
    for key, seconds, comment in zip(keys, (ontime, ontime * dtcor, ontime * dtcor), _COMMENTS, strict=True):
        header[key] = (seconds, header.comments[key] if key in header else comment)
