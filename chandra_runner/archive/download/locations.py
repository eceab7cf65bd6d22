"""Addresses of archives, from the names and URLs in a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote, urlsplit

from chandra_runner.errors import SiteError

SAMPLE = "sample"
"""Name of the built-in archive of synthetic observations."""
MIRROR_VARIABLE = "CDA_MIRROR_SITE"
"""Environment variable with the address of a mirror of the Chandra Data Archive; CIAO reads it too."""


class ArchiveKind(StrEnum):
    """How an archive is accessed."""

    WEB = "web"
    """A web server with index pages."""
    BUCKET = "bucket"
    """An S3 bucket that anyone may list."""
    FOLDER = "folder"
    """A directory of this machine."""
    SAMPLE = "sample"
    """The generator of synthetic observations."""


@dataclass(frozen=True)
class ArchiveLocation:
    """An archive's address.

    Parameters
    ----------
    name : str
        Name in the recipe.
    kind : ArchiveKind
        How it is accessed.
    root : str
        URL ending in ``/``, for a bucket that of its root; the path of a folder; empty for `SAMPLE`.
    prefix : str
        Start of the keys in a bucket; empty, or ending in ``/``.
    """

    name: str
    kind: ArchiveKind
    root: str = ""
    prefix: str = ""


_NAMED = {
    "cxc": "https://cxc.cfa.harvard.edu/cdaftp/",
    "heasarc": "https://heasarc.gsfc.nasa.gov/FTP/chandra/data/",
    "heasarc-s3": "s3://nasa-heasarc/chandra/data/",
}


def location_of(name: str, environ: Mapping[str, str]) -> ArchiveLocation:
    """Return the address of an archive.

    Parameters
    ----------
    name : str
        ``cxc``, ``heasarc``, ``heasarc-s3``, ``sample``, or the URL of a mirror: that of the directory
        which contains ``byobsid``, or of ``byobsid`` itself.
    environ : Mapping of str to str
        Environment variables; `MIRROR_VARIABLE` replaces ``cxc``.

    Raises
    ------
    SiteError
        A URL, in the recipe or in the environment, cannot be used.
    """
    if name == SAMPLE:
        return ArchiveLocation(name, ArchiveKind.SAMPLE)
    mirror = environ.get(MIRROR_VARIABLE, "").strip() if name == "cxc" else ""
    source = f"{MIRROR_VARIABLE}={mirror}" if mirror else f"archive {name}"
    url = mirror or _NAMED.get(name, name)
    parts = urlsplit(url)
    path = parts.path.strip("/").removesuffix("byobsid").strip("/")
    prefix = f"{path}/" if path else ""
    local = parts.scheme == "file" and parts.netloc in ("", "localhost")
    if parts.query or parts.fragment or "@" in parts.netloc or not (parts.netloc or local):
        raise SiteError(f"{source} is not the address of an archive", "write it as https://server/directory/")
    match parts.scheme:
        case "https" | "http":
            return ArchiveLocation(name, ArchiveKind.WEB, f"{parts.scheme}://{parts.netloc}/{prefix}")
        case "s3":
            return ArchiveLocation(name, ArchiveKind.BUCKET, _bucket_url(parts.netloc), unquote(prefix))
        case "file" if local:
            return ArchiveLocation(name, ArchiveKind.FOLDER, unquote(f"/{prefix}"))
    raise SiteError(f"{source}: {parts.scheme}:// is not supported", "use https, http, s3 or file")


def observation_prefix(obsid: int) -> str:
    """Return the directory of an observation in an archive: ``byobsid/<last digit>/<obsid>/``."""
    return f"byobsid/{obsid % 10}/{obsid}/"


def _bucket_url(bucket: str) -> str:
    # Amazon's certificate is for *.s3.amazonaws.com, which matches no name with a dot in it.
    if "." in bucket:
        return f"https://s3.amazonaws.com/{quote(bucket)}/"
    return f"https://{quote(bucket)}.s3.amazonaws.com/"
