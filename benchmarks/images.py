"""Time of making images of a large event list: native engine against CFITSIO's fitscopy, same file and bands.

    python benchmarks/images.py ../shared/data [--observation real/754] [--events 10000000] [--repeat 3]

fitscopy makes the five count images, one after the other. The native engine makes the same five in one pass,
then all of rate_image: exposure, rate and PSF maps, too, with their plots. Requires fitscopy (Debian:
libcfitsio-bin), and some 1 GB in the temporary directory for 10 million events.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

BANDS = {"broad": (500, 7000), "soft": (500, 1200), "medium": (1200, 2000), "hard": (2000, 7000)}
BANDS["ultrasoft"] = (200, 500)
TEXTS = ["broad", "soft", "medium", "hard", "ultrasoft"]
COMPANION_KINDS = {"badpix": "bpix1", "mask": "msk1", "fov": "fov1"}


def main() -> None:
    """Make the file, make its images with both programs in turn, and print times and memory."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="the reference data, with make_big.py")
    parser.add_argument("--observation", default="sim/90001")
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        compare(options.data, options.observation, Path(scratch), options.events, options.repeat)


def compare(data: Path, observation: str, scratch: Path, events: int, repeat: int) -> None:
    """Run both programs `repeat` times; print times, ratios and memory."""
    raw, big = data / observation, scratch / "acisf00001_clean_evt2.fits"
    small = next(raw.glob("primary/*_evt2.fits.gz"))
    make_big = [sys.executable, data / "make_big.py", small, big, "--events", str(events)]
    subprocess.run(make_big, check=True)
    xygrid = call_in_new_process("grid", raw, big)["xygrid"]
    print(f"{observation}, {events} events, {big.stat().st_size / 1e6:.0f} MB, image {xygrid}")
    print("fitscopy, 5 images s   count images s   ratio   rate_image s   ratio   process s     MB")
    for _ in range(repeat):
        fitscopy = bin_with_fitscopy(big, xygrid, scratch)
        began = time.perf_counter()
        own = call_in_new_process("images", raw, big)
        whole = time.perf_counter() - began
        print(
            f"{fitscopy:20.2f} {own['count']:16.2f} {own['count'] / fitscopy:7.2f} {own['rate_image']:14.2f}"
            f" {own['rate_image'] / fitscopy:7.2f} {whole:11.2f} {own['memory']:6.0f}"
        )


def bin_with_fitscopy(big: Path, xygrid: str, scratch: Path) -> float:
    """Make the five images with fitscopy; return the time, s."""
    axes = ",".join(f"{name}={axis}" for name, axis in zip("xy", xygrid.split(","), strict=True))
    seconds = 0.0
    for lo, hi in BANDS.values():
        target = scratch / "image.fits"
        target.unlink(missing_ok=True)
        began = time.perf_counter()
        select = f"{big}[EVENTS][energy>={lo}&&energy<{hi}][bin {axes}]"
        subprocess.run(["fitscopy", select, target], check=True)
        seconds += time.perf_counter() - began
    return seconds


def call_in_new_process(what: str, raw: Path, big: Path) -> dict[str, Any]:
    """Run a part of this file in a process of its own, like a task; return its answer."""
    command = [sys.executable, __file__, f"--{what}", raw, big]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def image_grid(raw: Path, big: Path) -> dict[str, Any]:
    """Return the grid of rate_image, which fitscopy uses, too."""
    from chandra_runner.fits.event_file import EventFile
    from chandra_runner.native.field_of_view import load_field_of_view
    from chandra_runner.native.grid import Grid

    with EventFile.open(big) as events:
        grid = Grid.cover(load_field_of_view(events, companions(raw)).extent, 4)
    x1, y1 = grid.x0 + grid.nx * grid.step, grid.y0 + grid.ny * grid.step
    return {"xygrid": f"{grid.x0}:{x1}:4,{grid.y0}:{y1}:4"}


def companions(raw: Path) -> Any:
    """Return the companion files of the events."""
    from chandra_runner.native.field_of_view import Companions

    return Companions(
        aspect(raw), *(next(raw.glob(f"*/*_{kind}.fits.gz"), None) for kind in COMPANION_KINDS.values())
    )


def aspect(raw: Path) -> tuple[Path, ...]:
    """Return the files of the aspect solution."""
    return tuple(sorted(raw.glob("primary/pcad*_asol1.fits.gz")))


def make_images(raw: Path, big: Path) -> dict[str, Any]:
    """Make the count images alone, then all images of stage rate_image; return times and memory."""
    from chandra_runner.fits.event_file import EventFile
    from chandra_runner.native.count_image import count_images
    from chandra_runner.native.grid import parse_grid
    from chandra_runner.recipe.settings import StageSettings
    from chandra_runner.stages.job import Job, Product
    from chandra_runner.stages.rate_image import RateImage, run_native

    text = image_grid(raw, big)["xygrid"]
    began = time.perf_counter()
    with EventFile.open(big) as events:
        count_images(events.chunks(), parse_grid(text), list(BANDS.values()))
    count = time.perf_counter() - began
    inputs: dict[tuple[str, str], tuple[Product, ...]] = {
        ("cleaned_chandra_evts", "events"): (Product("events", big, "E001"),),
        ("chandra_repro", "asol"): tuple(Product("asol", path, "E001") for path in aspect(raw)),
    }
    for role, kind in COMPANION_KINDS.items():
        paths = tuple(Product(role, path, "E001") for path in raw.glob(f"*/*_{kind}.fits.gz"))
        inputs["chandra_repro", role] = paths
    settings = dict(StageSettings(RateImage, {}).values) | {"bands": TEXTS}
    with tempfile.TemporaryDirectory(dir=big.parent) as directory:
        began = time.perf_counter()
        job: Job[Any] = Job(
            observation=1,
            stage="rate_image",
            engine="native",
            settings=RateImage.settings_class(**settings),
            inputs=inputs,
            raw=raw,
            work=Path(directory),
            log_file=Path(directory, "log"),
        )
        job.directory.mkdir()
        run_native(job)
        seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"count": count, "rate_image": seconds, "memory": memory}


def answer(arguments: Sequence[str]) -> None:
    """Print the answer of one part as JSON."""
    measure = {"--grid": image_grid, "--images": make_images}[arguments[0]]
    print(json.dumps(measure(*map(Path, arguments[1:]))))


if __name__ == "__main__":
    if sys.argv[1:2] in (["--grid"], ["--images"]):
        answer(sys.argv[1:])
    else:
        main()
