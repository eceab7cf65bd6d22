"""Time of fetching an observation on loopback: ours against curl, same files, same number of connections.

    python benchmarks/download.py ../shared/data [--events 3000000] [--repeat 5]

The server is a process of its own that sends files with sendfile. curl gets the list of files for nothing and
keeps what comes; our fetch also lists the directory, asks for sizes, reads every file to its end (gzip's
checksum, FITS structure) and waits for the disk. What of our time is reading, the column "unread" shows:
there files are kept as they come. "curl, gzip -t" is what a careful user would do by hand. Needs curl.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from loguru import logger

from chandra_runner.archive.connection_limit import MAX_CONNECTIONS
from chandra_runner.archive.download import fetch
from chandra_runner.archive.download.download import DownloadRequest, download_missing_files
from chandra_runner.archive.download.file_selection import FileSelection

OBSID = 90001


class Handler(SimpleHTTPRequestHandler):
    """Sends files as fast as the system can."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # as real servers do

    def copyfile(self, source, outputfile) -> None:  # type: ignore[no-untyped-def]
        """Let the kernel do it."""
        if hasattr(source, "fileno"):
            outputfile.flush()
            self.connection.sendfile(source)
        else:
            super().copyfile(source, outputfile)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


def main() -> None:
    """Make an observation of usual size, fetch it in turn with both, print what they took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="the reference data, with make_big.py")
    parser.add_argument("--events", type=int, default=3_000_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    logger.remove()
    if options.serve:
        serve_forever(options.data)
        return
    with tempfile.TemporaryDirectory() as scratch:
        compare(options.data, Path(scratch), options.events, options.repeat)


def compare(data: Path, scratch: Path, events: int, repeat: int) -> None:
    """Fetch `repeat` times with each and print times and ratios of throughput."""
    root = scratch / "archive"
    tree = root / "byobsid" / str(OBSID % 10) / str(OBSID)
    make_observation(data, tree, events, scratch)
    paths = sorted(path.relative_to(root).as_posix() for path in tree.rglob("*") if path.is_file())
    size = sum((root / path).stat().st_size for path in paths)
    print(
        f"{len(paths)} files, {size / 1e6:.0f} MB, {MAX_CONNECTIONS} connections; each row: one run of each"
    )
    print("curl s   ours s   ratio   unread s   ratio   curl, gzip -t s   ratio")
    ratios = []
    with server(root) as url:
        for _ in range(repeat):
            theirs = timed(lambda: curl(url, paths, scratch / "theirs"))
            checked = theirs + timed(lambda: gunzip(scratch / "theirs"))
            ours = timed(lambda: own(url, scratch / "ours", scratch, check=True))
            same = [(scratch / "ours" / path.split("/", 3)[3]).read_bytes() for path in paths]
            if same != [(root / path).read_bytes() for path in paths]:
                sys.exit("the files differ")
            unread = timed(lambda: own(url, scratch / "ours", scratch, check=False))
            ratios.append((theirs / ours, theirs / unread, checked / ours))
            print(
                f"{theirs:6.2f} {ours:8.2f} {ratios[-1][0]:7.2f} {unread:10.2f} {ratios[-1][1]:7.2f}"
                f" {checked:17.2f} {ratios[-1][2]:7.2f}"
            )
    medians = [statistics.median(column) for column in zip(*ratios, strict=True)]
    print("medians of the ratios: {:.2f}, unread {:.2f}, against curl and gzip -t {:.2f}".format(*medians))


def make_observation(data: Path, tree: Path, events: int, scratch: Path) -> None:
    """An ObsID directory with event lists of usual size."""
    shutil.copytree(data / "sim" / str(OBSID), tree)
    for path in [*tree.glob("*/*evt1.fits.gz"), *tree.glob("*/*evt2.fits.gz")]:
        path.chmod(0o644)
        path.parent.chmod(0o755)
        big = scratch / path.name.removesuffix(".gz")
        make_big = [sys.executable, data / "make_big.py", path, big, "--events", str(events)]
        subprocess.run(make_big, check=True, stdout=subprocess.DEVNULL)
        with path.open("wb") as packed:
            subprocess.run(["gzip", "-1c", big], check=True, stdout=packed)
        big.unlink()


@contextmanager
def server(root: Path) -> Iterator[str]:
    """The server's process; gives its URL."""
    command = [sys.executable, __file__, str(root), "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def serve_forever(root: Path) -> None:
    """Serve a directory on loopback, after saying where."""
    os.chdir(root)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        print(f"http://127.0.0.1:{listening.server_address[1]}/", flush=True)
        listening.serve_forever()


def curl(url: str, paths: list[str], target: Path) -> None:
    """Fetch files with curl."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    files = [argument for path in paths for argument in ("-o", target / Path(path).name, url + path)]
    options = [
        "--silent",
        "--no-progress-meter",
        "--fail",
        "--parallel",
        "--parallel-max",
        str(MAX_CONNECTIONS),
        "--noproxy",
        "*",
    ]
    subprocess.run(["curl", *options, *files], check=True)


def gunzip(directory: Path) -> None:
    """Check the files' compression, two at a time on two cores."""
    names = "\0".join(str(path) for path in directory.glob("*.gz"))
    command = ["xargs", "-0", "-n", "1", "-P", str(os.cpu_count()), "gzip", "-t"]
    subprocess.run(command, input=names, text=True, check=True)


def own(url: str, target: Path, scratch: Path, *, check: bool) -> None:
    """Fetch an observation as the download stage does."""
    shutil.rmtree(target, ignore_errors=True)
    known = fetch.check_integrity
    if not check:
        fetch.check_integrity = lambda path, name: None
    try:
        download_missing_files(
            DownloadRequest(
                obsid=OBSID,
                directory=target,
                archives=(url,),
                selection=FileSelection(),
                refresh=False,
                idle_timeout=60.0,
                scratch=scratch,
                report_progress=lambda *_: None,
            )
        )
    finally:
        fetch.check_integrity = known


def timed(work: Callable[[], None]) -> float:
    """Seconds that it takes; the disk is quiet before."""
    os.sync()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
