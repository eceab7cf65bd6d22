"""Jobs of the image stages, on the archive's own level-2 files in place of earlier stages' products."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chandra_runner.stages.job import Job, Product
from chandra_runner.stages.stage import Stage

from .jobs import make_job

_ROLES = {"badpix": "bpix1", "mask": "msk1", "fov": "fov1", "dtf": "dtf1"}


def link_events(directory: Path, source: Path, stem: str) -> Product:
    """An event list under the name that cleaned_chandra_evts gives it."""
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / f"{stem}_clean_evt2.fits"
    target.symlink_to(source)
    return Product("events", target, "E001")


def image_job(stage: type[Stage], raw: Path, work: Path, *left_out: str, **settings: Any) -> Job[Any]:
    """A job of an image stage for an ObsID directory with one exposure.

    Parameters
    ----------
    stage : type of Stage
        rate_image or flux_image.
    raw : Path
        The ObsID directory.
    work : Path
        Where to work.
    left_out : str
        Roles that are not there.
    settings : dict
        Other settings than the defaults.
    """
    events = next(raw.glob("primary/*_evt2.fits.gz"))
    product = link_events(work / "events", events, events.name.split("N00")[0])
    inputs = {
        ("cleaned_chandra_evts", "events"): (product,),
        ("chandra_repro", "asol"): tuple(
            Product("asol", path, "E001") for path in sorted(raw.glob("primary/pcad*_asol1.fits.gz"))
        ),
    }
    for role, kind in _ROLES.items():
        paths = sorted(raw.glob(f"*/*_{kind}.fits.gz"))
        inputs["chandra_repro", role] = tuple(Product(role, path, "E001") for path in paths)
    for role in left_out:
        inputs["chandra_repro", role] = ()
    return make_job(stage, raw, work, inputs, int(raw.name), **settings)


def made(job: Job[Any], role: str, band: str) -> Path:
    """The one product of a role and band."""
    (found,) = [p.path for p in job.products if (p.role, p.band) == (role, band)]
    return found
