"""A stage of another distribution: counts raw files, or goes wrong in a way that is asked for."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from chandra_runner.errors import DataError
from chandra_runner.stages.job import Job
from chandra_runner.stages.outcome import Excluded
from chandra_runner.stages.stage import ANY, Need, Stage


def probe(job: Job) -> None:
    """Write how many raw files there are."""
    print("the probe says hello")
    behave = job.settings.behave
    if behave == "exclude":
        raise Excluded("the probe was told to find nothing")
    if behave == "fail":
        raise DataError("the probe was told to fail", "tell it something else")
    if behave == "bug":
        raise ZeroDivisionError("nobody thought of this")
    if behave == "disk_full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if behave == "memory":
        raise MemoryError
    if behave == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if behave == "hang":
        time.sleep(600)
    if behave == "hang_with_child":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        job.raw.parent.joinpath("child.pid").write_text(str(child.pid))
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
    if behave == "linger":
        job.raw.parent.joinpath("lingers").touch()
        while job.raw.parent.joinpath("lingers").exists():
            time.sleep(0.02)
    if behave == "no_product":
        job.output("count.txt", "count")
        return
    if behave == "half_product":
        job.output("count.fits", "count").write_bytes(b"SIMPLE  =                    T".ljust(1000))
        return
    files = [path for path in job.raw.rglob("*") if path.is_file()]
    text = "" if behave == "empty_product" else f"{len(files)} files {job.settings.label}\n"
    job.output("count.txt", "count").write_text(text)


class Probe(Stage):
    name = "probe"
    needs = (Need("raw", "download"),)
    makes = ("count",)
    raw = frozenset({"evt2"})
    executors = {ANY: probe}

    @classmethod
    def schema_path(cls) -> Path:
        return Path(__file__).with_name("probe.schema.json")


def reader(job: Job) -> None:
    """Copy what the probe made."""
    text = job.need("count", "probe").read_text()
    job.output("copy.txt", "copy").write_text(f"{text}{job.settings.note}\n")


class Reader(Stage):
    name = "probe_reader"
    needs = (Need("count", "probe"),)
    makes = ("copy",)
    executors = {ANY: reader}

    @classmethod
    def schema_path(cls) -> Path:
        return Path(__file__).with_name("probe_reader.schema.json")
