"""A stage for chandra_runner: the counts of cleaned events in energy bands, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from chandra_runner import Excluded, Job, Need, SettingProblem, Stage

if TYPE_CHECKING:
    from astropy.units import Quantity


@dataclass(frozen=True, kw_only=True)
class BandCountsSettings:
    """The settings of the schema; quantities are parsed."""

    edges: list[Quantity]
    timeout: Quantity | None


def count_bands(job: Job[BandCountsSettings]) -> None:
    """Write one table row for each exposure and band."""
    # Imported here, because chandra-run imports this module whenever it looks for stages.
    import numpy as np
    from astropy.io import fits
    from astropy.table import Table

    edges = [edge.to_value("keV") for edge in job.settings.edges]
    rows = []
    for product in job.all("events", "cleaned_chandra_evts"):
        header, events = fits.getheader(product.path, "EVENTS"), fits.getdata(product.path, "EVENTS")
        if header["INSTRUME"] == "HRC":
            raise Excluded("HRC does not measure energies")
        counts, _ = np.histogram(events["energy"] / 1000, edges)  # eV to keV
        job.log(f"{counts.sum()} of {len(events)} events are in the bands", product.exposure)
        for (low, high), count in zip(pairwise(edges), counts, strict=True):
            rows.append((product.exposure, low, high, count, count / header["LIVETIME"]))
    table = Table(
        rows=rows,
        names=["exposure", "low", "high", "counts", "rate"],
        units=["", "keV", "keV", "ct", "ct / s"],
    )
    table.write(job.output("band_counts.ecsv", "counts"), format="ascii.ecsv")


class BandCounts(Stage):
    """Counts of the cleaned events in energy bands."""

    name = "band_counts"
    needs = (Need("events", "cleaned_chandra_evts"),)
    makes = ("counts",)
    settings_class = BandCountsSettings
    executors: ClassVar = {"any": count_bands}

    @classmethod
    def schema_path(cls) -> Path:
        """Return the schema file, which declares the settings."""
        return Path(__file__).with_name("band_counts.schema.json")

    @classmethod
    def check(cls, settings: BandCountsSettings) -> Iterator[SettingProblem]:
        """Yield edges that are not above the ones before them, which the schema cannot check."""
        edges = settings.edges
        for n in range(1, len(edges)):
            if not edges[n] > edges[n - 1]:
                problem = f"{edges[n]} is not above {edges[n - 1]}"
                yield SettingProblem(("edges", n), problem, "sort the edges")
