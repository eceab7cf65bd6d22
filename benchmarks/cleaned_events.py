"""Time of cleaning a large event list: `chandra-run` against CFITSIO's fitscopy, same file, same cuts.

    python benchmarks/cleaned_events.py ../shared/data [--events 10000000] [--repeat 3]

Ours are the stage's own seconds and memory as its manifest states them, digests of what it wrote included;
theirs is the whole process. Needs fitscopy (Debian: libcfitsio-bin), and some 2 GB in the temporary directory
for 10 million events.
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
    """Make the file, clean it in turn with both programs, print what they took."""
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
        theirs = fitscopy(products, scratch / "theirs.fits")
        rows = [
            fits.getval(path, "NAXIS2", 1)
            for path in (*products.glob(f"{STAGE}/*.fits"), scratch / "theirs.fits")
        ]
        ratio, memory = manifest["seconds"] / theirs, manifest["peak_memory"] / 1e6
        print(
            f"{theirs:10.2f} {manifest['seconds']:9.2f} {ratio:7.2f} {memory:10.0f}   {rows[0]} and {rows[1]}"
        )


def fitscopy(products: Path, target: Path) -> float:
    """Make the same selection with CFITSIO; seconds."""
    (events,) = products.glob("chandra_repro/*_repro_evt2.fits")
    (quiet,) = products.glob("deflare/*_deflare_gti.fits")
    grades = "||".join(f"grade=={grade}" for grade in (0, 2, 3, 4, 6))
    times = f"gtifilter('{quiet}[GTI]',time,'START','STOP')"
    cuts = f"energy>=500&&energy<7000&&({grades})&&status==b{'0' * 32}&&{times}"
    target.unlink(missing_ok=True)
    os.sync()
    began = time.perf_counter()
    subprocess.run(["fitscopy", f"{events}[EVENTS][{cuts}]", target], check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
