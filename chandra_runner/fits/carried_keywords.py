"""Keywords of an event list that are also true of the files made from it.

What light curves carry and images do not, and the reverse, is said at `LIGHT_CURVE_KEYWORDS` and
`IMAGE_KEYWORDS`.
"""

from __future__ import annotations

from collections.abc import Sequence

from astropy.io import fits

_TELESCOPE = ("MISSION", "TELESCOP", "INSTRUME", "DETNAM", "GRATING")
_NUMBERS = ("OBS_ID", "OBI_NUM", "SEQ_NUM")
_PROPOSAL = ("TITLE", "OBSERVER")
_DATES = ("DATE-OBS", "DATE-END")
_CLOCK = ("TIMESYS", "MJDREF", "TIMEZERO", "TIMEUNIT")
_TIME_REFERENCE = ("TIMEREF", "TASSIGN")
_TIME_RANGE = ("TSTART", "TSTOP")
_POINTING = (
    "RA_NOM", "DEC_NOM", "ROLL_NOM", "RA_PNT", "DEC_PNT", "ROLL_PNT", "RA_TARG", "DEC_TARG",
)  # fmt: skip
_SIM = ("SIM_X", "SIM_Y", "SIM_Z")
_FRAME = ("RADESYS", "EQUINOX")
_CLOCK_ERROR = ("TIERRELA", "TIERABSO")
COMPANION_FILES = ("ASOLFILE", "BPIXFILE", "MASKFILE", "DTFFILE", "FLTFILE")
"""Keywords that name the files that go with an event list; several names are separated by commas."""
_CALIBRATION = (
    "CALDBVER", "PIX_ADJ", "RAND_SKY", "SUBPIXFL", "RAND_PI", "GAINFILE", "TGAINCOR", "TGAINFIL",
    "CTI_CORR", "CTI_APP", "CTIFILE", "GRD_FILE", "GRADESYS", "CORNERS", "FP_TEMP",
)  # fmt: skip
_FRAMES = (
    "CCD_ID", "FEP_CCD", "FIRSTROW", "NROWS", "EXPTIME", "TIMEDELA", "TIMEDELB", "FLSHTIME", "DTYCYCLE",
    "SUM_2X2", "ORC_MODE", "OCLKPAIR",
)  # fmt: skip
_ASPECT = ("ASPTYPE", "DY_AVG", "DZ_AVG", "DTH_AVG")
_TELEMETRY_CLOCK = ("BTIMNULL", "BTIMRATE", "BTIMDRFT", "BTIMCORR", "TIMVERSN", "TIMEPIXR")

LIGHT_CURVE_KEYWORDS = (
    "ORIGIN", *_TELESCOPE, "OBS_MODE", "DATAMODE", "READMODE", "DATACLAS", "CYCLE", "LONGSTRN",
    *_PROPOSAL, "OBJECT", *_NUMBERS, *_POINTING, *_FRAME, *_SIM, "FOC_LEN", *_DATES, "MJD-OBS",
    *_CLOCK, *_TIME_REFERENCE, "CLOCKAPP", *_CLOCK_ERROR, *_TIME_RANGE,
)  # fmt: skip
"""What light curves and the good times found in them carry.

Left out: TIMEDEL, which in a light curve is the length of a bin, and what matters only with coordinates
or pulse heights: companion files, calibration, frames, aspect.
"""

IMAGE_KEYWORDS = (
    "LONGSTRN", "ORIGIN", *_TELESCOPE, *_NUMBERS, "DS_IDENT", "OBJECT", *_PROPOSAL, "OBS_MODE", "READMODE",
    "DATAMODE", "CYCLE", "DATACLAS", "MJD-OBS", "MJD_OBS", *_DATES, *_CLOCK, "CLOCKAPP", *_CLOCK_ERROR,
    *_TELEMETRY_CLOCK, *_TIME_REFERENCE, *_TIME_RANGE, "TIMEDEL", *_FRAMES, *_POINTING, *_SIM, "DEFOCUS",
    "FOC_LEN", *_ASPECT, *_CALIBRATION, *COMPANION_FILES,
)  # fmt: skip
"""What images carry: what those of the archive and of CIAO do (3591's ``full_img2``, 754's flux image).

Left out: RADESYS and EQUINOX, which belong to the celestial coordinates and are written with them, and
ASCDSVER, the version of the system that made a file.
"""


def carried_keywords(header: fits.Header, keywords: Sequence[str]) -> fits.Header:
    """Return the cards of an event list's header that a file made from the events carries.

    Parameters
    ----------
    header : Header
        Header of EVENTS.
    keywords : sequence of str
        `LIGHT_CURVE_KEYWORDS` or `IMAGE_KEYWORDS`.

    Returns
    -------
    Header
        Those of the keywords that the event list has, in the order of `keywords`.
    """
    return fits.Header([header.cards[key] for key in keywords if key in header])
