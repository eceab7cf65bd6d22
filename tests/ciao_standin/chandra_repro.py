"""chandra_repro: level 2 of level 1, and the files that go with it."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astropy.io import fits

from chandra_runner.fits.event_file import EventFile
from chandra_runner.fits.gti import GoodTimes
from chandra_runner.native.event_selection import HeaderUpdate, select_events
from chandra_runner.native.level2 import (
    level2_selection,
    mean_live_fraction,
    read_good_times,
    sort_events,
    write_level2_gti,
)

from . import repro_aspect, repro_gratings, skyfov
from .files import mark, output, whole_path
from .messages import CIAO_VERSION, CONTRIB_VERSION, Failure
from .repro_inputs import NEEDED, NEEDED_BY_BADPIX, Inputs, NothingToDo, find_inputs

_COPIED = ("bpix1", "fov1", "msk1", "mtl1", "stat1", "pbk0", "dtf1")
"""Kinds whose files stand beside the products, under their own names."""
_HRC_PIX_ADJ = ("default", "none", "randomize")


def run(values: dict[str, Any]) -> list[Path]:
    """Reprocess all exposures of a directory."""
    print(f"\nRunning chandra_repro\nversion: {CONTRIB_VERSION}\n")
    indir = whole_path(values["indir"])
    outdir = whole_path(values["outdir"]) if values["outdir"] else indir / "repro"
    if not indir.is_dir():
        print(f"Input is not a directory: '{indir}'. Skipping it\n")
        return []
    try:
        exposures = find_inputs(indir, values["root"])
    except NothingToDo as nothing:
        print(f"{nothing}\n")
        return []
    if not outdir.parent.is_dir():
        raise Failure(f"Unable to create output directory: '{outdir}'")
    outdir.mkdir(exist_ok=True)
    return [path for inputs in exposures for path in _Reprocessing(inputs, outdir, values).run()]


@dataclass(frozen=True)
class _Reprocessing:
    """Makes the products of one exposure."""

    inputs: Inputs
    outdir: Path
    values: dict[str, Any]

    def run(self) -> list[Path]:
        header = fits.getheader(self.inputs.one("evt1"), "EVENTS")
        acis = header["INSTRUME"].strip() == "ACIS"
        self.check(header, acis)
        copies = {kind: self.copy(kind) for kind in _COPIED}
        aspect = repro_aspect.prepare(self.inputs, self.outdir, header, self.values["asol_update"])
        clocked = header.get("READMODE", "").strip() != "CONTINUOUS"
        badpix = copies["bpix1"][0]
        if self.values["badpixel"] and clocked:
            print("\nCreating a new bad pixel file...")
            badpix = self.renamed(badpix, "bpix1")
        if not self.values["process_events"]:
            return [badpix]
        if acis and "8" in header["DETNAM"] and self.values["destreak"]:
            print("\nRunning the destreak tool on the evt1.fits file...")
        links = {
            "ASOLFILE": aspect,
            "BPIXFILE": [badpix],
            "MASKFILE": copies["msk1"],
            "DTFFILE": copies["dtf1"],
        }
        keywords = {key: ",".join(path.name for path in paths) for key, paths in links.items() if paths}
        events, gti = self.level_2(keywords, acis)
        fov = self.field_of_view(events, aspect, copies)
        grating = header.get("GRATING", "NONE").strip()
        made = [events, gti, badpix, fov]
        if grating != "NONE":
            made += repro_gratings.extract(self.outdir, self.inputs.root, grating, header)
        if self.values["set_ardlib"]:
            _set_ardlib(badpix)
        print(f"\nThe new evt2.fits file is: {events}\n")
        return made

    def check(self, header: fits.Header, acis: bool) -> None:
        """All inputs must be there; which they are depends on the instrument."""
        badpix = NEEDED_BY_BADPIX if acis and self.values["badpixel"] else ()
        for kind in (*NEEDED, *badpix, *(() if acis else ("dtf1",))):
            if not self.inputs.files[kind]:
                raise Failure(f"Could not locate {kind} fits file in: {self.values['indir']}")
        if not acis and self.values["pix_adj"] not in _HRC_PIX_ADJ:
            raise Failure(f"invalid pix_adj parameter, for HRC data choose from {', '.join(_HRC_PIX_ADJ)}")
        for product in ("evt2", "bpix1", "fov1", "flt2"):
            output(str(self.path(product)), self.values["clobber"])

    def path(self, product: str) -> Path:
        return self.outdir / f"{self.inputs.root}_repro_{product}.fits"

    def copy(self, kind: str) -> list[Path]:
        return [Path(shutil.copy(path, self.outdir)) for path in self.inputs.files[kind]]

    def renamed(self, source: Path, product: str) -> Path:
        """A product that is what the archive has, but for its name."""
        return mark(Path(shutil.copy(source, self.path(product))), "chandra_repro")

    def level_2(self, keywords: dict[str, str], acis: bool) -> tuple[Path, Path]:
        """Filter the events, and write their good times."""
        tool = "acis_process_events" if acis else "hrc_process_events"
        print(f"\nRunning {tool} to reprocess the evt1.fits file...")
        if acis:  # what it always finds something to say about
            print(
                f"# {tool} (CIAO {CIAO_VERSION}): The following error occurred 12 times:\n"
                "\tdsAPEPULSEHEIGHTERR -- WARNING: pulse height is less than split threshold.",
                file=sys.stderr,
            )
        target, gti = self.path("evt2"), self.path("flt2")
        links = {**keywords, "FLTFILE": gti.name, "CONTENT": "EVT2", "HDUCLAS2": "ACCEPTED"}
        with EventFile.open(self.inputs.one("evt1")) as events:
            good_times = events.good_times.intersect(read_good_times(self.inputs.one("flt1")))
            dtcor = self.live_fraction(events, good_times)
            very_faint = self.values["check_vf_pha"] and events.header.get("DATAMODE", "").strip() == "VFAINT"
            selection = level2_selection(events, good_times, very_faint)
            report = select_events(events, target, selection, HeaderUpdate((), dtcor, links))
            write_level2_gti(gti, events, good_times, dtcor, ())
        if not report.in_order:
            unsorted = target.rename(Path(os.environ["ASCDS_WORK_PATH"]) / target.name)
            sort_events(unsorted, target)
            unsorted.unlink()
        return mark(target, "dmcopy"), mark(gti, "dmcopy")

    def live_fraction(self, events: EventFile, good_times: GoodTimes) -> float:
        dtf = self.inputs.files["dtf1"]
        return (mean_live_fraction(dtf[0], good_times.first) if dtf else None) or events.dtcor

    def field_of_view(self, events: Path, aspect: list[Path], copies: dict[str, list[Path]]) -> Path:
        if copies["fov1"]:
            return self.renamed(copies["fov1"][0], "fov1")
        target = self.path("fov1")
        skyfov.write(target, events, tuple(aspect), copies["msk1"][0])
        return mark(target, "skyfov")


def _set_ardlib(badpix: Path) -> None:
    """Name the bad-pixel file in the user's ardlib.par, where any later tool would take it from."""
    user = os.environ["PFILES"].partition(";")[0].partition(":")[0]
    (Path(user) / "ardlib.par").write_text(f'AXAF_ACIS_BADPIX_FILE,s,h,"{badpix}",,,""\n')
