"""Time of filtering a large event list: ours against CFITSIO's fitscopy, same file, same cuts.

    python benchmarks/filter_events.py ../shared/data [--events 10000000] [--repeat 3]

Needs fitscopy (Debian: libcfitsio-bin), and some 1.5 GB in the temporary directory for 10 million events.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from astropy.io import fits

SMALL = "sim/90001/primary/acisf90001N001_evt2.fits.gz"
ENERGY = (500.0, 7000.0)
GRADES = (0, 2, 3, 4, 6)


@dataclass(frozen=True)
class Run:
    """Seconds of wall-clock time and largest memory (MB) of a process."""

    seconds: float
    memory: float


def main() -> None:
    """Make the file, filter it in turn with both programs, print what they took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="the reference data, with make_big.py")
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        compare(options.data, Path(scratch), options.events, options.repeat)


def compare(data: Path, scratch: Path, events: int, repeat: int) -> None:
    """Run both `repeat` times and print times, ratio and memory."""
    big, quiet = scratch / "big.fits", scratch / "quiet.fits"
    make_big: list[str | Path] = [
        sys.executable,
        data / "make_big.py",
        data / SMALL,
        big,
        "--events",
        str(events),
    ]
    subprocess.run(make_big, check=True)
    write_quiet_times(big, quiet)
    ours, theirs = scratch / "ours.fits", scratch / "theirs.fits"
    own_command: list[str | Path] = [sys.executable, __file__, "--filter", big, quiet, ours]
    command: list[str | Path] = ["fitscopy", f"{big}[EVENTS][{expression(quiet)}]", theirs]
    print(f"{events} events, {big.stat().st_size / 1e6:.0f} MB; each row: one run of both")
    print("fitscopy s   whole process s   ratio   MB      filter alone s   ratio")
    for _ in range(repeat):
        reference = measure(command, theirs)
        own = measure(own_command, ours)
        alone = float(ours.with_suffix(".seconds").read_text())
        ratios = [seconds / reference.seconds for seconds in (own.seconds, alone)]
        print(
            f"{reference.seconds:10.2f} {own.seconds:17.2f} {ratios[0]:7.2f} {own.memory:6.0f}"
            f" {alone:17.2f} {ratios[1]:7.2f}"
        )
    rows = [fits.getheader(path, "EVENTS")["NAXIS2"] for path in (ours, theirs)]
    print(f"rows kept: {rows[0]} and {rows[1]}")


def write_quiet_times(big: Path, quiet: Path) -> None:
    """Good times with a flare cut out, as deflare leaves them."""
    header = fits.getheader(big, "EVENTS")
    start, stop = header["TSTART"], header["TSTOP"]
    flare = start + (stop - start) / 2
    columns = [
        fits.Column("START", "1D", "s", array=[start, flare + 2000]),
        fits.Column("STOP", "1D", "s", array=[flare, stop]),
    ]
    fits.BinTableHDU.from_columns(columns, name="GTI").writeto(quiet)


def expression(quiet: Path) -> str:
    """The cuts in CFITSIO's language."""
    grades = "||".join(f"grade=={grade}" for grade in GRADES)
    energy = f"energy>={ENERGY[0]}&&energy<{ENERGY[1]}"
    return f"{energy}&&({grades})&&status==b{'0' * 32}&&gtifilter('{quiet}[GTI]',time,'START','STOP')"


def measure(command: Sequence[str | Path], target: Path) -> Run:
    """Run a program once, with nothing else waiting to go to disk."""
    target.unlink(missing_ok=True)
    os.sync()
    began = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} failed")
    return Run(time.perf_counter() - began, usage.ru_maxrss / 1024)


def filter_events(big: Path, quiet: Path, target: Path) -> None:
    """What the stage cleaned_chandra_evts does, timed."""
    from chandra_runner.native.eventfile import EventFile
    from chandra_runner.native.events import ANY_STATUS, Imprint, Selection, select_events
    from chandra_runner.native.level2 import read_good_times

    began = time.perf_counter()
    with EventFile.open(big) as events:
        good_times = events.good_times.intersect(read_good_times(quiet))
        selection = Selection(good_times, ANY_STATUS, GRADES, ENERGY)
        select_events(events, target, selection, Imprint((), events.dtcor))
    target.with_suffix(".seconds").write_text(str(time.perf_counter() - began))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--filter"]:
        filter_events(*map(Path, sys.argv[2:]))
    else:
        main()
