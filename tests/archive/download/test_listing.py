"""Listings give plain names, whichever server wrote them; what is not plain refuses the listing."""

from __future__ import annotations

import pytest

from chandra_runner.archive.download.listing import BucketPage, index_names, read_bucket_page
from chandra_runner.archive.errors import ArchiveError

from ...archive_server import bucket_page, index_page

URL = "https://archive.example/cdaftp/byobsid/4/754/"
NAMES = ["00README", "axaff00754N005_VV001_vv2.pdf", "oif.fits", "primary/", "secondary/"]


@pytest.mark.parametrize("style", ["apache", "nginx"])
def test_an_index_page_gives_its_names(style: str) -> None:
    page = index_page(style, "cdaftp/byobsid/4/754/", NAMES, [])
    assert index_names(page.encode(), URL) == NAMES


@pytest.mark.parametrize(
    "link",
    [
        "?C=N;O=D",
        "#top",
        "../",
        "..",
        "./",
        "../../",
        "/cdaftp/byobsid/4/",
        "/",
        URL,
        "https://elsewhere.example/evt2.fits",
        "//elsewhere.example/evt2.fits",
        "mailto:help@archive.example",
        "http://archive.example/cdaftp/byobsid/4/754/oif.fits",
        ".hidden",
        "http://[broken/",
    ],
)
def test_links_that_are_no_files_of_it_are_passed_over(link: str) -> None:
    page = index_page("apache", "cdaftp/byobsid/4/754/", NAMES, [link])
    assert index_names(page.encode(), URL) == NAMES


@pytest.mark.parametrize("link", ["./oif.fits", URL + "oif.fits", "/cdaftp/byobsid/4/754/oif.fits"])
def test_links_of_any_form_name_their_file(link: str) -> None:
    assert index_names(f'<A HREF="{link}">'.encode(), URL) == ["oif.fits"]


def test_a_page_of_any_bytes_is_read() -> None:
    assert index_names(bytes(range(256)) * 100, URL) == []
    assert index_names(b"", URL) == []


def test_a_bucket_is_read_with_sizes_and_continuation() -> None:
    files = {f"byobsid/4/754/primary/a{n}.fits.gz": b"x" * n for n in range(10)}
    first = read_bucket_page(bucket_page(files, {"prefix": ["byobsid/4/754/"]}).encode())
    assert first.objects[3] == ("byobsid/4/754/primary/a3.fits.gz", 3)
    rest = bucket_page(files, {"prefix": ["byobsid/4/754/"], "continuation-token": [first.continuation]})
    second = read_bucket_page(rest.encode())
    assert len(first.objects + second.objects) == len(files)
    assert second.continuation == ""


def test_a_bucket_without_the_observation_lists_nothing() -> None:
    assert read_bucket_page(bucket_page({}, {"prefix": ["x"]}).encode()) == BucketPage((), "")


@pytest.mark.parametrize(
    "document",
    [
        b"<html>",
        b"<html></html>",
        b"",
        b"\xff\xfe",
        b"<Error><Code>AccessDenied</Code></Error>",
        b"<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        b"<ListBucketResult><Contents><Key>a</Key><Size>many</Size></Contents></ListBucketResult>",
        b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><ListBucketResult>&b;</ListBucketResult>',
    ],
)
def test_what_is_no_listing_is_refused(document: bytes) -> None:
    with pytest.raises(ArchiveError, match="listing"):
        read_bucket_page(document)
