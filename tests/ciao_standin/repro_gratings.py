"""What chandra_repro makes of dispersed events: spectra and responses, here with nothing in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits

from .files import mark

_ARMS = {"HETG": ("heg", "meg"), "LETG": ("leg",)}
_PARTS = {"heg": 1, "meg": 2, "leg": 3}
_CHANNELS = 64


def extract(outdir: Path, root: str, grating: str, events: fits.Header) -> list[Path]:
    """Write the type II spectrum and, in ``tg``, an ARF and an RMF for each arm and first order."""
    orders = [(arm, order) for arm in _ARMS[grating] for order in (-1, 1)]
    spectra = _table(
        "SPECTRUM",
        events,
        fits.Column("SPEC_NUM", "1I", array=np.arange(1, len(orders) + 1)),
        fits.Column("TG_M", "1I", array=np.array([order for _, order in orders])),
        fits.Column("TG_PART", "1I", array=np.array([_PARTS[arm] for arm, _ in orders])),
        fits.Column("COUNTS", f"{_CHANNELS}I", array=np.zeros((len(orders), _CHANNELS))),
    )
    made = [_write(outdir / f"{root}_repro_pha2.fits", spectra)]
    (outdir / "tg").mkdir(exist_ok=True)
    for arm, order in orders:
        name = f"{root}_repro_{arm}_{'m' if order < 0 else 'p'}1"
        for ending, block in (("arf", "SPECRESP"), ("rmf", "MATRIX")):
            energies = np.linspace(0.5, 8.0, _CHANNELS)
            table = _table(block, events, fits.Column("ENERG_LO", "1E", "keV", array=energies))
            made.append(_write(outdir / "tg" / f"{name}.{ending}", table))
    return made


def _table(name: str, events: fits.Header, *columns: fits.Column) -> fits.BinTableHDU:
    table = fits.BinTableHDU.from_columns(columns, name=name)
    table.header.update({key: events[key] for key in ("INSTRUME", "GRATING", "OBS_ID", "OBJECT")})
    return table


def _write(path: Path, table: fits.BinTableHDU) -> Path:
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path, overwrite=True)
    return mark(path, "tgextract")
