"""The aspect solution that chandra_repro works with."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from astropy.io import fits

from .files import mark
from .messages import Failure
from .repro_inputs import Inputs


def prepare(inputs: Inputs, outdir: Path, header: fits.Header, update: bool) -> list[Path]:
    """Copy the aspect solution and list its files; correct it where it is of the old kind.

    Parameters
    ----------
    inputs : Inputs
        Where it is. What was made on board is taken where there were no guide stars.
    outdir : Path
        Where it goes to.
    header : Header
        Of the events.
    update : bool
        Correct the boresight.
    """
    tracked = str(header.get("ASPTYPE", "KALMAN")).strip() == "KALMAN"
    kind = "asol1" if tracked else "osol1"
    sources = inputs.files[kind]
    if not sources:
        raise Failure(f"Could not locate {kind} fits file(s)")
    old = [path for path in sources if fits.getval(path, "CONTENT", 1).strip() == "ASPSOL"]
    if tracked and not old and len(sources) > 1:
        raise Failure(
            "Too many ASPSOLOBI aspect files found.  If this is a multi-obi observation, use splitobs"
        )
    listed = list(sources)
    if old and update:
        print("Applying boresight update to aspect solution file")
        made = [_corrected(old, outdir, int(header["OBS_ID"]))]
        listed = made
    else:
        made = [Path(shutil.copy(path, outdir)) for path in sources]
    lines = "".join(f"{path}\n" for path in listed)
    (outdir / f"{inputs.root}_asol1.lis").write_text(lines)
    return made


def _corrected(sources: list[Path], outdir: Path, obsid: int) -> Path:
    """One file of several, of the newer kind."""
    target = outdir / f"pcadf{obsid:05d}_repro_asol1.fits"
    with fits.open(sources[0], memmap=False) as hdus:
        rows = [fits.getdata(path, 1) for path in sorted(sources)]
        table = fits.BinTableHDU(np.concatenate(rows), hdus[1].header)
        table.header["CONTENT"] = ("ASPSOLOBI", "of one observing interval")
        fits.HDUList([hdus[0], table]).writeto(target, overwrite=True)
    return mark(target, "asp_offaxis_corr")
