"""Time of cleaning a large event list: `chandra-run` against CFITSIO's fitscopy, same file, same cuts.

    python benchmarks/cleaned_events.py ../shared/data [--events 10000000] [--repeat 3]

For the stage, time and memory are those in its manifest, digests of its output included; for fitscopy, those
of the whole process. Requires fitscopy (Debian: libcfitsio-bin), and some 2 GB in the temporary directory for
10 million events.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from astropy.io import fits

from chandra_runner.native.level2 import GOOD_GRADES

SMALL = "sim/90001/primary/acisf90001N001_evt2.fits.gz"
STAGE = "cleaned_chandra_evts"
RECIPE = """\
recipe: 1
observations: [90001]
archive: none
engine: native
stages: {cleaned_chandra_evts: {lo_en: 0.5 keV, hi_en: 7 keV}}
"""


def main() -> None:
    """Make the file, clean it with both programs in turn, and print times and memory."""
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
    """Run both programs `repeat` times; print times, ratio and memory."""
    primary = scratch / "data" / "90001" / "primary"
    primary.mkdir(parents=True)
    big = primary / "acisf90001N001_evt2.fits"
    make_big = [sys.executable, data / "make_big.py", data / SMALL, big, "--events", str(events)]
    subprocess.run(make_big, check=True)
    (scratch / "recipe.yaml").write_text(RECIPE)
    print(f"{events} events, {big.stat().st_size / 1e6:.0f} MB")
    print("fitscopy s   stage s   ratio   stage MB      rows")
    for _ in range(repeat):
        chandra_run = [sys.executable, "-m", "chandra_runner", "recipe.yaml", "-q", "--force", STAGE]
        subprocess.run(chandra_run, cwd=scratch, check=True)
        products = scratch / "products" / "90001"
        manifest = json.loads((products / STAGE / "manifest.json").read_text())
        other_seconds = fitscopy(products, scratch / "fitscopy.fits")
        rows = [
            fits.getval(path, "NAXIS2", 1)
            for path in (*products.glob(f"{STAGE}/*.fits"), scratch / "fitscopy.fits")
        ]
        ratio, memory = manifest["seconds"] / other_seconds, manifest["peak_memory"] / 1e6
        print(
            f"{other_seconds:10.2f} {manifest['seconds']:9.2f} {ratio:7.2f} {memory:10.0f}"
            f"   {rows[0]} and {rows[1]}"
        )


def fitscopy(products: Path, target: Path) -> float:
    """Make the same selection with CFITSIO; return the time, s."""
    (events,) = products.glob("chandra_repro/*_repro_evt2.fits")
    (good_times,) = products.glob("deflare/*_deflare_gti.fits")
    grades = "||".join(f"grade=={grade}" for grade in GOOD_GRADES)
    times = f"gtifilter('{good_times}[GTI]',time,'START','STOP')"
    cuts = f"energy>=500&&energy<7000&&({grades})&&status==b{'0' * 32}&&{times}"
    target.unlink(missing_ok=True)
    os.sync()
    began = time.perf_counter()
    subprocess.run(["fitscopy", f"{events}[EVENTS][{cuts}]", target], check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
