"""Names and URLs of archives become addresses; what is none is refused with a reason."""

from __future__ import annotations

import pytest

from chandra_runner.archive.download.locations import (
    ArchiveKind,
    ArchiveLocation,
    location_of,
    observation_prefix,
)
from chandra_runner.errors import SiteError


@pytest.mark.parametrize(
    ("name", "kind", "root", "prefix"),
    [
        ("cxc", ArchiveKind.WEB, "https://cxc.cfa.harvard.edu/cdaftp/", ""),
        ("heasarc", ArchiveKind.WEB, "https://heasarc.gsfc.nasa.gov/FTP/chandra/data/", ""),
        ("heasarc-s3", ArchiveKind.BUCKET, "https://nasa-heasarc.s3.amazonaws.com/", "chandra/data/"),
        ("sample", ArchiveKind.SAMPLE, "", ""),
        ("https://mirror.example/chandra", ArchiveKind.WEB, "https://mirror.example/chandra/", ""),
        ("https://mirror.example:8443/a/byobsid/", ArchiveKind.WEB, "https://mirror.example:8443/a/", ""),
        ("http://mirror.example", ArchiveKind.WEB, "http://mirror.example/", ""),
        ("s3://bucket/some/place/", ArchiveKind.BUCKET, "https://bucket.s3.amazonaws.com/", "some/place/"),
        ("s3://my.bucket", ArchiveKind.BUCKET, "https://s3.amazonaws.com/my.bucket/", ""),
        ("file:///archive/chandra%20data", ArchiveKind.FOLDER, "/archive/chandra data/", ""),
    ],
)
def test_every_kind_of_archive_has_an_address(name: str, kind: ArchiveKind, root: str, prefix: str) -> None:
    assert location_of(name, {}) == ArchiveLocation(name, kind, root, prefix)


def test_the_mirror_of_the_environment_stands_in_for_the_cxc_alone() -> None:
    environ = {"CDA_MIRROR_SITE": "https://mirror.example/cda"}
    assert location_of("cxc", environ) == ArchiveLocation(
        "cxc", ArchiveKind.WEB, "https://mirror.example/cda/"
    )
    assert location_of("heasarc", environ) == location_of("heasarc", {})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "ftp://cda.harvard.edu/pub",
            "archive ftp://.*: ftp:// is not supported; use https,",
        ),
        ("https://user:password@mirror.example/", "is not the address of an archive"),
        ("https://mirror.example/?a=b", "is not the address of an archive"),
        ("file://elsewhere/data", "file:// is not supported"),
        ("mirror.example/chandra", "is not the address of an archive; write it as https://server/directory/"),
    ],
)
def test_what_is_no_address_is_refused(name: str, message: str) -> None:
    with pytest.raises(SiteError, match=message):
        location_of(name, {})
    with pytest.raises(SiteError, match=rf"CDA_MIRROR_SITE={name[:8]}"):
        location_of("cxc", {"CDA_MIRROR_SITE": name})


def test_observations_are_sorted_by_their_last_digit() -> None:
    assert [observation_prefix(n) for n in (4, 754)] == ["byobsid/4/4/", "byobsid/4/754/"]
