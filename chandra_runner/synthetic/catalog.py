"""The synthetic observations: fields, sources, background and flares. These are not flight data.

They are small, so that one is made in a second: exposures of a few ks, background rates per chip near those
of ACIS at quiet times (those of HRC are far lower than in flight), sources of 0.01 to 1 count/s.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

ACIS_FRAME = 3.24104
"""Time between frames of a whole chip, s: 3.2 s of exposure, and the transfer to the frame store."""
ACIS_TRANSFER = 0.04104
"""Time of the transfer to the frame store, s."""
HRC_TICK = 1.6e-5
"""Resolution of the clock of HRC, s."""
HRC_LIVE = 0.9957
"""Mean dead-time factor of HRC."""


@dataclass(frozen=True)
class Source:
    """A source with a constant rate.

    Parameters
    ----------
    name : str
        Name of the source, for readers.
    east, north : float
        Offset from the nominal pointing, arcmin in the tangent plane.
    rate : float
        Rate of detected photons of all energies, count/s; there is no vignetting.
    photon_index : float
        Photon index of the power law.
    temperature : float
        Temperature of a hot gas, keV, whose spectrum replaces the power law; 0 for the power law.
    core : float
        Core radius of a beta model (beta = 2/3), arcsec; 0 for a point source.
    """

    name: str
    east: float
    north: float
    rate: float
    photon_index: float = 1.8
    temperature: float = 0.0
    core: float = 0.0


@dataclass(frozen=True)
class Flare:
    """A background flare: it rises in its first tenth and falls in the rest.

    Parameters
    ----------
    start, stop : float
        Start and end, s from the start of the observing interval.
    peak : float
        Largest background, in units of the quiet background.
    """

    start: float
    stop: float
    peak: float


@dataclass(frozen=True)
class Interval:
    """An observing interval (OBI).

    Parameters
    ----------
    number : int
        OBI_NUM.
    start : float
        TSTART, mission time, s.
    span : float
        TSTOP - TSTART, s.
    gaps : tuple of (float, float)
        Starts and ends of times that are not good, s from the start.
    flares : tuple of Flare
        Background flares.
    """

    number: int
    start: float
    span: float
    gaps: tuple[tuple[float, float], ...] = ()
    flares: tuple[Flare, ...] = ()

    @property
    def stop(self) -> float:
        """TSTOP, mission time, s."""
        return self.start + self.span


@dataclass(frozen=True)
class FrameCycle:
    """The frames that make one event list: all frames, or some of each period in interleaved mode.

    Parameters
    ----------
    tag : str
        Part of file names: empty, ``_e1``, ``_e2``.
    letter : str
        Value of the keyword CYCLE: P (primary) or S (secondary frames).
    exposure : float
        Exposure of a frame, s.
    dtcor : float
        Live fraction of the good time.
    slots : tuple of int
        Positions of the frames in a period, from 0.
    period : int
        Number of frames in a period.
    """

    tag: str
    letter: str
    exposure: float
    dtcor: float
    slots: tuple[int, ...] = (0,)
    period: int = 1


@dataclass(frozen=True)
class Sample:
    """One synthetic observation.

    Parameters
    ----------
    obsid : int
        The reserved ObsID.
    target : str
        Name of the target (OBJECT).
    detname, datamode : str
        Keywords DETNAM and DATAMODE.
    sim : tuple of 3 floats
        SIM_X, SIM_Y, SIM_Z, mm.
    ra, dec, roll : float
        Nominal pointing, deg.
    background : Mapping of int to float
        Background of a whole chip, all energies and grades, count/s, by chip; the aimpoint chip first.
    sources : tuple of Source
        The sources.
    intervals : tuple of Interval
        Observing intervals.
    frame : float
        Time between frames (HRC: resolution of the clock), s.
    cycles : tuple of FrameCycle
        Frames of each event list of an interval.
    rows : tuple of 2 ints
        First and last row that are read out.
    """

    obsid: int
    target: str
    detname: str
    datamode: str
    sim: tuple[float, float, float]
    ra: float
    dec: float
    roll: float
    background: Mapping[int, float]
    sources: tuple[Source, ...]
    intervals: tuple[Interval, ...]
    frame: float
    cycles: tuple[FrameCycle, ...]
    rows: tuple[int, int]

    @property
    def instrument(self) -> str:
        """``ACIS`` or ``HRC``."""
        return self.detname.partition("-")[0]

    def position(self, source: Source) -> tuple[float, float]:
        """Return RA and Dec of a source, deg, from its offset in the tangent plane."""
        east, north = math.radians(source.east / 60), math.radians(source.north / 60)
        dec = math.radians(self.dec)
        depth = math.cos(dec) - north * math.sin(dec)
        ra = self.ra + math.degrees(math.atan2(east, depth))
        return ra, math.degrees(math.atan2(math.sin(dec) + north * math.cos(dec), math.hypot(east, depth)))


_I_AIM = (-0.782348, 0.0, -233.592463)
_S_AIM = (-0.684267, 0.0, -190.132523)
_HRC_I_AIM = (-1.040293, 0.0, 126.985494)
_FULL_CHIP = (1, 1024)
_FRONT, _BACK = 0.16, 0.26
"""Background of a front- and of a back-illuminated chip, count/s."""
_EVERY_FRAME = (FrameCycle("", "P", 3.2, 3.2 / ACIS_FRAME),)
_INTERLEAVED = (
    FrameCycle("_e1", "P", 3.2, 0.8 * 3.2 / ACIS_FRAME, (0, 1, 2, 3), 5),
    FrameCycle("_e2", "S", 0.4, 0.2 * 0.4 / ACIS_FRAME, (4,), 5),
)

_CLUSTER = Sample(
    obsid=99001,
    target="SIMULATED CLUSTER",
    detname="ACIS-0123",
    datamode="VFAINT",
    sim=_I_AIM,
    ra=130.25,
    dec=33.1,
    roll=112.0,
    background={3: _FRONT, 0: _FRONT, 1: _FRONT, 2: _FRONT},
    sources=(
        Source("cluster", -1.3, 1.1, 0.16, temperature=5.0, core=25.0),
        Source("near", 1.5, 2.0, 0.025),
        Source("soft", -3.2, -2.4, 0.03, photon_index=2.6),
        Source("hard", 4.4, -1.6, 0.03, photon_index=1.2),
        Source("far", -5.0, 4.0, 0.05),
    ),
    intervals=(
        Interval(
            0,
            620_400_000.5,
            8200.0,
            gaps=((5900.0, 6050.0),),
            flares=(Flare(1500.0, 1900.0, 5.0), Flare(4000.0, 4700.0, 8.0)),
        ),
    ),
    frame=ACIS_FRAME,
    cycles=_EVERY_FRAME,
    rows=_FULL_CHIP,
)

_SUBARRAY = Sample(
    obsid=99002,
    target="SIMULATED PAIR OF STARS",
    detname="ACIS-67",
    datamode="FAINT",
    sim=_S_AIM,
    ra=266.4,
    dec=-28.9,
    roll=268.0,
    background={7: _BACK, 6: _FRONT},
    sources=(
        Source("bright", 0.05, 0.1, 0.5, photon_index=2.0),
        Source("companion", 0.1, -1.2, 0.15, photon_index=1.5),
        Source("other chip", -0.1, 4.6, 0.12),
    ),
    intervals=(Interval(0, 655_000_000.25, 5000.0, gaps=((2400.0, 2460.0),)),),
    frame=0.5 + ACIS_TRANSFER,
    cycles=(FrameCycle("", "P", 0.5, 0.5 / (0.5 + ACIS_TRANSFER)),),
    rows=(449, 576),
)

_HRC_FIELD = Sample(
    obsid=99003,
    target="SIMULATED HRC FIELD",
    detname="HRC-I",
    datamode="OBSERVING",
    sim=_HRC_I_AIM,
    ra=83.6,
    dec=-5.4,
    roll=41.0,
    background={0: 1.2},
    sources=(
        Source("aim", 0.2, -0.3, 0.3),
        Source("near", -2.5, 1.0, 0.1),
        Source("far", 5.5, 4.5, 0.15),
    ),
    intervals=(Interval(0, 590_000_000.75, 4000.0, gaps=((1700.0, 1800.0),)),),
    frame=HRC_TICK,
    cycles=(FrameCycle("", "P", HRC_TICK, HRC_LIVE),),
    rows=(1, 16384),
)

_ALTERNATING = Sample(
    obsid=99004,
    target="SIMULATED BRIGHT STAR",
    detname="ACIS-67",
    datamode="FAINT",
    sim=_S_AIM,
    ra=201.3,
    dec=47.2,
    roll=15.0,
    background={7: _BACK, 6: _FRONT},
    sources=(
        Source("bright", 0.0, 0.1, 1.0, photon_index=2.2),
        Source("faint", 1.8, 1.2, 0.2),
    ),
    intervals=(Interval(0, 605_000_000.0, 4000.0, gaps=((1900.0, 1960.0),)),),
    frame=ACIS_FRAME,
    cycles=_INTERLEAVED,
    rows=_FULL_CHIP,
)

_TWICE = Sample(
    obsid=99005,
    target="SIMULATED FIELD SEEN TWICE",
    detname="ACIS-0123",
    datamode="FAINT",
    sim=_I_AIM,
    ra=12.1,
    dec=-25.3,
    roll=305.0,
    background={3: _FRONT, 0: _FRONT, 1: _FRONT, 2: _FRONT},
    sources=(
        Source("near", -1.2, 1.4, 0.05),
        Source("middle", 3.0, -3.3, 0.05, photon_index=1.4),
        Source("far", -4.8, -4.6, 0.06),
    ),
    intervals=(
        Interval(0, 560_000_000.0, 3400.0, gaps=((1700.0, 1780.0),), flares=(Flare(2500.0, 2750.0, 8.0),)),
        Interval(1, 560_650_000.0, 3000.0, gaps=((1200.0, 1260.0),)),
    ),
    frame=ACIS_FRAME,
    cycles=_EVERY_FRAME,
    rows=_FULL_CHIP,
)

SAMPLES: Mapping[int, Sample] = MappingProxyType(
    {sample.obsid: sample for sample in (_CLUSTER, _SUBARRAY, _HRC_FIELD, _ALTERNATING, _TWICE)}
)
