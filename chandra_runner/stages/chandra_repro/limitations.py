"""What the settings request, and the native engine cannot do for an exposure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from chandra_runner.fits.event_file import EventFile
from chandra_runner.fits.reader import read_header
from chandra_runner.observation.observation import Observation

from .settings import ChandraReproSettings

RECOMPUTED = ("none", "randomize")
"""Values of pix_adj for which positions are computed again."""
_STREAKED_CHIP = 8


def limitations(
    settings: ChandraReproSettings,
    observation: Observation,
    events: EventFile,
    asol: Sequence[Path],
    *,
    level_1: bool,
) -> Iterator[str]:
    """Yield what was requested but is not done, for a warning and the header.

    Parameters
    ----------
    settings : ChandraReproSettings
        What was requested.
    observation : Observation
        The observation.
    events : EventFile
        Event list of the exposure.
    asol : sequence of Path
        Files of its aspect solution.
    level_1 : bool
        Whether the event list is of level 1.
    """
    if settings.asol_update and any(aspect_content(path) == "ASPSOL" for path in asol):
        # CIAO's asp_offaxis_corr moves dy, dz and dtheta of such a solution into its ra, dec and roll.
        yield "asol_update is not applied: it requires CIAO"
    if settings.destreak and level_1 and _STREAKED_CHIP in events.good_times.by_chip:
        yield "chip 8 is on: only streak events that the archive's processing flagged are removed"
    if settings.grating_pi_filter and (observation.detector, observation.grating) == ("HRC-S", "LETG"):
        yield "grating_pi_filter is not applied: it requires CIAO"
    if settings.check_very_faint and observation.datamode == "VFAINT" and not _has_islands(events):
        yield f"check_very_faint is not applied: {events.path.name} has no 5 x 5 pixel phas column"
    yield from _positions(settings.pix_adj, observation, events, asol)


def cleans_very_faint(settings: ChandraReproSettings, observation: Observation, events: EventFile) -> bool:
    """Return whether VFAINT cleaning was requested and can be done."""
    return settings.check_very_faint and observation.datamode == "VFAINT" and _has_islands(events)


def aspect_content(path: Path) -> str:
    """Return what an aspect solution is of: ASPSOLOBI for an observing interval, ASPSOL for a part of it."""
    return str(read_header(path).get("CONTENT", "")).strip()


def _positions(
    pix_adj: str, observation: Observation, events: EventFile, asol: Sequence[Path]
) -> Iterator[str]:
    """Yield why positions remain those of the archive, if others were requested."""
    archived = "positions are those of the archive"
    if pix_adj == "edser" and events.header.get("PIX_ADJ") != "EDSER":
        yield f"pix_adj edser requires CIAO and the CALDB: {archived}"
    elif pix_adj in RECOMPUTED and not asol:
        yield f"pix_adj {pix_adj} requires an aspect solution: {archived}"
    elif pix_adj in RECOMPUTED and observation.readmode == "CONTINUOUS":
        yield f"pix_adj {pix_adj} does not apply to continuous clocking: {archived}"


def _has_islands(events: EventFile) -> bool:
    """Return whether the events have pulse heights of 5 x 5 pixels, which VFAINT cleaning requires."""
    return "phas" in (events.dtype.names or ()) and events.dtype["phas"].shape == (25,)
