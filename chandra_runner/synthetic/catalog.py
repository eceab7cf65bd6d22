"""What the ObsIDs of the built-in archive are: fields, sources, background, flares. No flight data.

Everything is modest, so that an ObsID is made in a second: exposures of a few ks, background rates per chip
near those of ACIS on a quiet day (HRC's, far lower than in flight), sources of some 0.01 to 0.2 count/s.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

ACIS_FRAME = 3.24104
"""s; a frame of a whole chip: 3.2 s of exposure and the time in which it is moved to the frame store."""
ACIS_TRANSFER = 0.04104
HRC_TICK = 1.6e-5
"""s; the resolution of HRC's clock."""
HRC_LIVE = 0.9957
"""HRC's mean dead time factor."""


@dataclass(frozen=True)
class Source:
    """Something that shines, with a rate that does not change.

    Parameters
    ----------
    name : str
        For people.
    east, north : float
        Offset from the nominal pointing, arcmin in the tangent plane.
    rate : float
        Photons that the detector registers, all energies, count/s. No vignetting.
    photon_index : float
        Of its power law.
    temperature : float
        keV; where it is not 0, the spectrum falls like that of a gas of this temperature instead.
    core : float
        Core radius of a beta model (beta = 2/3), arcsec; 0: a point.
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
    """A time of high background: a fast rise in its first tenth, then a slower fall.

    Parameters
    ----------
    start, stop : float
        s from the start of the observing interval.
    peak : float
        Background at its height, in units of the quiet one.
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
        Times that are no good, s from the start.
    flares : tuple of Flare
        High background.
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
    """Which frames make one event list: all of them, or some of each period in interleaved mode.

    Parameters
    ----------
    tag : str
        In file names: empty, ``_e1``, ``_e2``.
    letter : str
        The keyword CYCLE: P or S.
    exposure : float
        Of a frame, s.
    dtcor : float
        Live fraction of the good time.
    slots : tuple of int
        Its frames in a period, from 0.
    period : int
        Frames in a period.
    """

    tag: str
    letter: str
    exposure: float
    dtcor: float
    slots: tuple[int, ...] = (0,)
    period: int = 1


@dataclass(frozen=True)
class Sample:
    """One synthetic ObsID.

    Parameters
    ----------
    obsid : int
        Its reserved number.
    target : str
        OBJECT.
    detname, datamode : str
        Keywords.
    sim : tuple of 3 floats
        SIM_X, SIM_Y, SIM_Z, mm.
    ra, dec, roll : float
        Nominal pointing, deg.
    background : Mapping of int to float
        By chip, the one of the aimpoint first: count/s of a whole chip, all energies and grades.
    sources : tuple of Source
        What shines.
    intervals : tuple of Interval
        Observing intervals.
    frame : float
        Time between frames (HRC: the clock's resolution), s.
    cycles : tuple of FrameCycle
        Event lists of an interval.
    rows : tuple of 2 ints
        First and last row that is read out.
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
        """RA and Dec of a source, deg: its offset put back from the tangent plane onto the sphere."""
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
