"""Whatever a server does, a file is downloaded completely or its failure is reported; nothing hangs."""

from __future__ import annotations

import gzip
import ssl
import time
from pathlib import Path

import pytest
import trustme

from chandra_runner.archive.download import archives
from chandra_runner.archive.download.download import download_missing_files
from chandra_runner.archive.download.locations import ArchiveKind, ArchiveLocation
from chandra_runner.archive.http import TRIES
from chandra_runner.errors import DataError, SiteError
from tests import archive_server as server

from ...archive_server import Answer, Site, serve
from ..conftest import OBSID, MakeRequest, files

EVT2 = f"{OBSID}N001_evt2.fits.gz"


@pytest.fixture
def evt2(site: Site) -> str:
    """Path of the file that the server treats badly."""
    return site.find(OBSID, EVT2)


def whole(site: Site) -> dict[str, bytes]:
    """What the archive has of the observation."""
    start = server.prefix(OBSID)
    return {path.removeprefix(start): body for path, body in site.files.items() if path.startswith(start)}


@pytest.mark.parametrize("style", ["apache", "nginx"])
def test_a_server_that_behaves_gives_every_file_once(
    site: Site, make_request: MakeRequest, observation: Path, style: str
) -> None:
    site.style = style
    request = make_request()
    download_missing_files(request)
    assert files(request.directory) == files(observation)
    assert sorted(r.path for r in site.asked()) == sorted(site.files)
    before = len(site.requests)
    download_missing_files(request)
    assert len(site.requests) == before


@pytest.mark.parametrize(
    "answers",
    [
        [server.status(500)],
        [server.status(503, Retry_After="100000"), server.status(429)],
        [server.stall],
        [server.trickle],
        [server.cut, server.cut, server.cut],
        [server.cut, server.ignore_range],
        [server.cut, server.wrong_place],
        [server.cut, server.status(416)],
        [server.announce(lambda size: size * 2)],
        [server.announce(lambda size: size - 9)],
    ],
    ids=["500", "503_429", "stall", "trickle", "cuts", "no_range", "wrong_place", "416", "long", "short"],
)
@pytest.mark.parametrize("etags", [True, False])
def test_temporary_failures_are_retried(
    site: Site, make_request: MakeRequest, evt2: str, answers: list[Answer], etags: bool
) -> None:
    site.etags = etags
    site.answer(evt2, *answers)
    request = make_request()
    began = time.monotonic()
    download_missing_files(request)
    assert time.monotonic() - began < 10 * request.idle_timeout
    assert files(request.directory) == whole(site)


def test_a_cut_file_is_continued_where_it_was_cut(site: Site, make_request: MakeRequest, evt2: str) -> None:
    site.answer(evt2, server.cut, server.cut)
    download_missing_files(make_request())
    asked = [r for r in site.asked() if r.path == evt2]
    assert [request.start for request in asked] == [0, asked[0].sent, asked[0].sent + asked[1].sent]
    assert sum(request.sent for request in asked) == len(site.files[evt2])


def test_a_file_that_changes_between_tries_is_never_mixed(
    site: Site, make_request: MakeRequest, evt2: str
) -> None:
    old = site.files[evt2]
    new = gzip.compress(gzip.decompress(old), compresslevel=1)
    site.answer(evt2, server.replace_file(new))
    request = make_request()
    download_missing_files(request)
    assert new != old
    assert files(request.directory) == whole(site)


def test_the_rest_of_another_version_is_not_added(site: Site, make_request: MakeRequest) -> None:
    path = f"{server.prefix(OBSID)}00README"  # nothing in such a file would tell that two are mixed
    site.files[path] = b"old words " * 5000
    site.answer(path, server.replace_file(b"new words " * 5000), server.ignore_version)
    request = make_request()
    download_missing_files(request)
    assert files(request.directory)["00README"] == b"new words " * 5000


@pytest.mark.parametrize(
    ("answers", "message", "tried"),
    [
        ([server.status(500)] * TRIES, f"the server answers 500.*; tried {TRIES} times", TRIES),
        ([server.stall] * TRIES, "stalled: no byte was received within the idle timeout; tried", TRIES),
        ([server.status(404)], r"not found \(404", 1),
        ([server.status(403)], r"refused \(403.*proprietary", 1),
        ([server.status(418)], "the server answers 418", 1),
        ([server.redirect("http://192.0.2.1/x.fits.gz")], "redirects to another server, 192.0.2.1", 1),
        ([server.redirect("ftp://192.0.2.1/x.fits.gz")], "redirects to ftp://", 1),
        ([server.redirect("file:///etc/passwd")], "redirects to file://", 1),
        ([server.redirect("")] * 9, "redirects without end", 6),
    ],
)
def test_other_failures_are_reported_with_file_and_archive(
    site: Site, make_request: MakeRequest, evt2: str, answers: list[Answer], message: str, tried: int
) -> None:
    site.answer(evt2, *answers)
    request = make_request()
    with pytest.raises(DataError, match=rf"^ObsID {OBSID}, primary/\S+{EVT2}: http://\S+: .*{message}"):
        download_missing_files(request)
    assert len([r for r in site.asked() if r.path == evt2]) == tried
    there = files(request.directory)
    expected = {path: body for path, body in whole(site).items() if not path.endswith(EVT2)}
    assert {path: body for path, body in there.items() if not path.endswith(".part")} == expected
    site.answers.clear()
    download_missing_files(request)  # the next run downloads the rest, and only that
    assert files(request.directory) == whole(site)
    assert {r.path for r in site.asked() if r.sent} == set(site.files)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>Please log in</html>", "damaged: its compression is damaged: Not a gzipped file"),
        (b"", "damaged: it is empty"),
        (gzip.compress(b"no FITS file" * 1000), "is not a FITS file"),
        (gzip.compress(b"XTENSION".ljust(80) + b"END".ljust(2800)), "is not a FITS file"),
        (gzip.compress(b"SIMPLE  =                    T".ljust(2880)), "it ends within a header"),
        (gzip.compress(bytes(100 << 20)), "is not a FITS file"),
    ],
    ids=["login_page", "empty", "words", "no_fits", "half_fits", "zeros"],
)
def test_what_is_damaged_on_the_server_never_gets_its_name(
    site: Site, make_request: MakeRequest, evt2: str, body: bytes, message: str
) -> None:
    site.files[evt2] = body
    request = make_request()
    with pytest.raises(DataError, match=rf"ObsID {OBSID}, primary/\S+{EVT2}: .*({message})"):
        download_missing_files(request)
    assert not [path for path in files(request.directory) if EVT2 in path]


def test_a_bomb_that_is_valid_fits_is_stopped(site: Site, make_request: MakeRequest, evt2: str) -> None:
    cards = [
        "SIMPLE  =                    T",
        "BITPIX  =                    8",
        "NAXIS   =                    1",
    ]
    cards += [f"NAXIS1  = {100 << 20:20d}", "END"]
    header = "".join(card.ljust(80) for card in cards).ljust(2880).encode()
    site.files[evt2] = gzip.compress(header + bytes(100 << 20))
    with pytest.raises(DataError, match=f"{EVT2}: .*uncompresses to more than 64 MB"):
        download_missing_files(make_request())


@pytest.mark.parametrize(
    "link",
    [
        "../../../../etc/passwd_evt2.fits.gz",
        "..%2f..%2fevil_evt2.fits.gz",
        "%2e%2e/evil_evt2.fits.gz",
        "..\\evil_evt2.fits.gz",
        "evil%00_evt2.fits.gz",
        "evil;rm%20-rf_evt2.fits.gz",
        "x" * 300 + "_evt2.fits.gz",
    ],
)
def test_names_that_lead_elsewhere_refuse_the_listing(
    site: Site, make_request: MakeRequest, link: str
) -> None:
    site.names[f"{server.prefix(OBSID)}primary/"] = [link]
    request = make_request()
    with pytest.raises(DataError, match=rf"ObsID {OBSID}: \S+: it lists a file with the name "):
        download_missing_files(request)
    assert not request.directory.exists()
    assert not site.asked()


def test_a_directory_without_end_is_refused(site: Site, make_request: MakeRequest) -> None:
    for number in range(10_001):
        site.files[f"{server.prefix(OBSID)}primary/acisf{number:05d}_evt2.fits.gz"] = b""
    with pytest.raises(DataError, match=rf"ObsID {OBSID}: \S+: it lists more than 10000 files"):
        download_missing_files(make_request())


def test_directories_in_a_ring_end(site: Site, make_request: MakeRequest) -> None:
    start = f"{server.prefix(OBSID)}primary/"
    for depth in range(300):
        site.files[f"{start}{'deeper/' * depth}x.fits"] = b""
    with pytest.raises(DataError, match="it has more than 100 directories"):
        download_missing_files(make_request())


def test_a_page_that_is_no_listing_is_named(site: Site, make_request: MakeRequest) -> None:
    site.answer(server.prefix(OBSID), lambda handler, *_: handler.page(b"<html>Welcome</html>") or 0)
    with pytest.raises(DataError, match="lists no files"):
        download_missing_files(make_request())


def test_an_archive_without_the_observation_says_so_and_the_next_one_is_asked(
    site: Site, make_request: MakeRequest, url: str
) -> None:
    empty = Site()
    with serve(empty) as nothing:
        request = make_request(archives=(nothing, url))
        download_missing_files(request)
        assert files(request.directory) == whole(site)
        with pytest.raises(DataError, match=rf"ObsID 493: {nothing}: not found \(404.*; put its directory"):
            download_missing_files(
                make_request(obsid=493, directory=request.directory.with_name("493"), archives=(nothing,))
            )


def test_a_file_that_one_archive_cuts_is_downloaded_whole_from_the_next(
    site: Site, make_request: MakeRequest, url: str, evt2: str, observation: Path
) -> None:
    bad = Site()
    bad.add(OBSID, observation)
    bad.answer(evt2, server.cut, *[server.status(500)] * TRIES)
    with serve(bad) as first:
        request = make_request(archives=(first, url))
        download_missing_files(request)
    assert files(request.directory) == whole(site)
    assert [r.start for r in site.asked()] == [0]  # half a file from another server is not continued


def test_a_server_that_is_not_there_is_named(make_request: MakeRequest) -> None:
    with pytest.raises(DataError, match=rf"ObsID {OBSID}: http://127.0.0.1:9/: it cannot be reached; tried"):
        download_missing_files(make_request(archives=("http://127.0.0.1:9/",)))


def test_tls_is_verified_and_redirects_stay_encrypted(
    site: Site,
    make_request: MakeRequest,
    evt2: str,
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with serve(site, context) as secure:
        request = make_request(archives=(secure,))
        with pytest.raises(DataError, match=r"its certificate is not trusted: .*; set SSL_CERT_FILE to"):
            download_missing_files(request)
        assert not site.requests
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        site.answer(evt2, server.redirect(f"{url}{evt2}"))
        with pytest.raises(DataError, match=rf"{EVT2}: .* redirects to http://, which is not followed"):
            download_missing_files(request)
        site.answer(evt2, server.redirect(f"{secure}{evt2}"))
        download_missing_files(request)
    assert files(request.directory) == whole(site)


def test_a_bucket_is_listed_page_by_page(
    site: Site, make_request: MakeRequest, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.style = "s3"
    monkeypatch.setattr(
        archives, "location_of", lambda name, _: ArchiveLocation(name, ArchiveKind.BUCKET, url)
    )
    request = make_request(archives=("s3://bucket",))
    download_missing_files(request)
    assert files(request.directory) == whole(site)
    assert not site.asked("HEAD")
    site.files[f"{server.prefix(OBSID)}primary/../../../evil_evt2.fits.gz"] = b"x"
    with pytest.raises(DataError, match="it lists a file with the name"):
        download_missing_files(
            make_request(archives=("s3://bucket",), directory=request.directory.with_name("again"))
        )


def test_a_folder_is_an_archive_too(observation: Path, make_request: MakeRequest, tmp_path: Path) -> None:
    place = tmp_path / "mirror" / server.prefix(OBSID)
    place.parent.mkdir(parents=True)
    place.symlink_to(observation)
    request = make_request(archives=(f"file://{tmp_path}/mirror",))
    download_missing_files(request)
    assert files(request.directory) == files(observation)


def test_a_disk_without_room_is_said_before_anything_is_fetched(
    site: Site, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    request = make_request()
    with pytest.raises(SiteError, match=r"\d+ MB to download, but \S+ has 0 MB free; make room"):
        download_missing_files(request)
    assert not site.asked()


def test_progress_ends_at_the_total_size(site: Site, make_request: MakeRequest, evt2: str) -> None:
    site.answer(evt2, server.cut, server.ignore_range)
    reported: list[tuple[float, float]] = []
    download_missing_files(
        make_request(report_progress=lambda done, total, unit: reported.append((done, total)))
    )
    size = sum(map(len, site.files.values()))
    assert reported[0] == (0, size)
    assert reported[-1] == (size, size)
    assert all(0 <= done <= total == size for done, total in reported)
