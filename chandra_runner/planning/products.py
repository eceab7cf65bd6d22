"""Finding products by their role, for users of the package and for notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from chandra_runner.errors import DataError
from chandra_runner.stages.job import Product

from .manifest import read_manifest


@dataclass(frozen=True)
class Products:
    """The products of one observation.

    Parameters
    ----------
    directory : Path
        ``<products>/<obsid>``.
    """

    directory: Path

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages that have products, sorted."""
        return tuple(sorted(path.parent.name for path in self.directory.glob("*/manifest.json")))

    def find(self, role: str, stage: str, *, exposure: str = "", band: str = "") -> tuple[Product, ...]:
        """Return the products of a stage with a role, in the order in which the stage made them.

        Parameters
        ----------
        role : str
            Such as ``events``, ``image`` or ``expmap``; `chandra-run stages` lists them.
        stage : str
            Such as ``cleaned_chandra_evts``.
        exposure, band : str
            Only those of this exposure or energy band; empty for all.

        Raises
        ------
        DataError
            The stage has no products that can be read.
        """
        directory = self.directory / stage
        manifest = read_manifest(directory)
        if manifest is None:
            raise DataError(f"{directory} has no readable manifest", "run the recipe up to this stage")
        return tuple(
            Product(output.role, directory / output.path, output.exposure, output.band)
            for output in manifest.outputs
            if output.role == role and exposure in ("", output.exposure) and band in ("", output.band)
        )


def open_products(products: Path | str, obsid: int) -> Products:
    """Open the products of an observation to find files by their roles.

    Parameters
    ----------
    products : path-like
        The products tree, as ``products:`` in the recipe names it.
    obsid : int
        The ObsID.

    Raises
    ------
    DataError
        There are none.

    Notes
    -----
    The cleaned event lists of an ObsID::

        open_products("products", 754).find("events", "cleaned_chandra_evts")
    """
    directory = Path(products) / str(obsid)
    if not directory.is_dir():
        raise DataError(f"ObsID {obsid} has no products in {products}", "run a recipe that makes them")
    return Products(directory)
