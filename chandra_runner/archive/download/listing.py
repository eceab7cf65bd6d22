"""Directory listings of servers: index pages of web servers, listings of S3 buckets.

Servers are not trusted: each name must be one plain path segment, otherwise the whole listing is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree import ElementTree

from chandra_runner.archive.errors import ArchiveError
from chandra_runner.observation.raw_files import MAX_FILES

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,199}")
_BREAKS_OUT = re.compile(r"(^|[/\\])\.\.([/\\]|$)|[\\\0-\x1f]")


@dataclass(frozen=True)
class ListedFile:
    """A file of an archive.

    Parameters
    ----------
    path : str
        Relative to the ObsID directory.
    url : str
        Its address; a path if the archive is a folder.
    size : int or None
        Size, bytes; None if the listing does not say.
    """

    path: str
    url: str
    size: int | None = None


def check_path(path: str) -> str:
    """Return a path if it consists of plain names only.

    Raises
    ------
    ArchiveError
        It could lead out of a directory, or is not the name of a data file.
    """
    if all(_PLAIN_NAME.fullmatch(name) for name in path.split("/")):
        return path
    raise ArchiveError(f"it lists a file with the name {path[:200]!r}, which no data file has")


def check_count(entries: int) -> None:
    """Refuse a listing that is too long.

    Raises
    ------
    ArchiveError
        There are more entries than an ObsID directory can have.
    """
    if entries > MAX_FILES:
        raise ArchiveError(f"it lists more than {MAX_FILES} files, which no ObsID has")


def index_names(page: bytes, url: str) -> list[str]:
    """Return the names on an index page of Apache, nginx and others; directories end in ``/``.

    Parameters
    ----------
    page : bytes
        HTML.
    url : str
        Its address, ending in ``/``.

    Raises
    ------
    ArchiveError
        A link leads out of the directory in disguise, or has a name that no data file has.
    """
    links = _Links()
    links.feed(page.decode("utf-8", errors="replace"))
    names: dict[str, None] = {}  # each name once: icons link to the files, too
    for link in links.found:
        name = _name_of(link, url)
        if name:
            names[name] = None
            check_count(len(names))
    return list(names)


def _name_of(link: str, url: str) -> str:
    """Return the name that a link stands for; empty for links to sort, to parents and to other sites."""
    if link.startswith(("?", "#")) or set(link.split("/")) <= {"", ".", ".."}:
        return ""
    path = link.partition("?")[0].partition("#")[0]
    if _BREAKS_OUT.search(unquote(path)):
        check_path(unquote(path))
    try:
        here, there = urlsplit(url), urlsplit(urljoin(url, path))
    except ValueError:
        return ""
    if (there.scheme, there.netloc) != (here.scheme, here.netloc) or not there.path.startswith(here.path):
        return ""
    name = unquote(there.path.removeprefix(here.path))
    folder = "/" if name.endswith("/") else ""
    bare = name.removesuffix("/")
    if not bare or bare.startswith(".") or "/" in bare:
        return ""
    return check_path(bare) + folder


class _Links(HTMLParser):
    """Collects the targets of the links on a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


@dataclass(frozen=True)
class BucketPage:
    """A page of a bucket's listing: keys with sizes, and the start of the next page (empty at the end)."""

    objects: tuple[tuple[str, int], ...]
    continuation: str


def read_bucket_page(document: bytes) -> BucketPage:
    """Read an answer of S3's ListObjectsV2.

    Raises
    ------
    ArchiveError
        It is something else, or XML with more than elements and text.
    """
    try:
        text = document.decode("utf-8")
        # A document type could define entities that expand without limit; listings have none.
        if "<!" in text:
            raise ArchiveError("its listing has a document type, which no listing needs")
        root = ElementTree.fromstring(text)  # noqa: S314
        objects = tuple(
            (_text(node, "Key"), int(_text(node, "Size"))) for node in root if _tag(node) == "Contents"
        )
        if _tag(root) != "ListBucketResult":
            raise ValueError(_tag(root))
        more = any(_tag(node) == "IsTruncated" and node.text == "true" for node in root)
        return BucketPage(objects, _text(root, "NextContinuationToken") if more else "")
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise ArchiveError("its answer is not the listing of a bucket") from error


def _tag(node: ElementTree.Element) -> str:
    return node.tag.rpartition("}")[2]


def _text(node: ElementTree.Element, name: str) -> str:
    values = [child.text or "" for child in node if _tag(child) == name]
    if not values:
        raise LookupError(name)
    return values[0]
