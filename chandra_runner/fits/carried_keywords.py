"""Keywords of an event list that are also true of the files made from it.

Light curves and images carry the same keywords but for those named at `LIGHT_CURVE_KEYWORDS` and
`IMAGE_KEYWORDS`. Some groups stand in another order in the two kinds of files; that has only
historical reasons, but products keep their bytes from version to version.
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
_PROCESSING = ("ASCDSVER", "CALDBVER")
_COMPANION_FILES = ("ASOLFILE", "BPIXFILE", "MASKFILE", "DTFFILE", "FLTFILE")

LIGHT_CURVE_KEYWORDS = (
    "ORIGIN", *_TELESCOPE, "OBS_MODE", "DATAMODE", "READMODE", "DATACLAS", "CYCLE", "LONGSTRN",
    *_PROPOSAL, "OBJECT", *_NUMBERS, *_POINTING, *_FRAME, *_SIM, "FOC_LEN", *_DATES, "MJD-OBS",
    *_CLOCK, *_TIME_REFERENCE, "CLOCKAPP", *_CLOCK_ERROR, *_TIME_RANGE,
)  # fmt: skip
"""What light curves and the good times found in them carry.

Left out on purpose: TIMEDEL, which in a light curve is the length of a bin. For historical reasons
only: versions of the processing, companion files, and DEFOCUS.
"""

IMAGE_KEYWORDS = (
    "LONGSTRN", "ORIGIN", *_PROCESSING, *_TELESCOPE, *_NUMBERS, "OBJECT", *_PROPOSAL, "OBS_MODE",
    "READMODE", "DATAMODE", "CYCLE", "DATACLAS", "MJD-OBS", *_DATES, *_CLOCK, "CLOCKAPP",
    *_TIME_REFERENCE, *_TIME_RANGE, "TIMEDEL", *_POINTING, *_SIM, "DEFOCUS", "FOC_LEN",
    *_COMPANION_FILES,
)  # fmt: skip
"""What images carry.

Left out on purpose: RADESYS and EQUINOX, which belong to the celestial coordinates and are written
with them. For historical reasons only: the errors of the clock.
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
