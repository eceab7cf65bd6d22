"""Services of the archives on loopback: TAP as the CXC and HEASARC speak it, and Sesame, well and badly.

The tables have the names, columns, units and conventions of the real ones; their rows are partly made up.
SQLite runs each query on the rows, so that a query that asks for too little, or is not SQL, fails a test.
"""

from __future__ import annotations

import io
import sqlite3
import sys
import threading
import time
import urllib.parse
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from astropy.io.votable import from_table
from astropy.table import MaskedColumn, Table

# ObsID, target, RA and Dec (deg), detector, grating, exposure (ks), start (MJD), status. None: not set.
ROWS = [
    (493, "ABELL1795", 207.2200, 26.5900, "ACIS-S", "NONE", 19.63, 51624.0, "archived"),
    (494, "ABELL1795", 207.2200, 26.5900, "ACIS-S", "NONE", 19.52, 51532.4, "archived"),
    (3666, "A1795", 207.2210, 26.5950, "ACIS-S", "NONE", 14.42, 52435.9, "archived"),
    (10432, "A1795", 207.2000, 26.5800, "ACIS-I", "NONE", 5.14, 54945.2, "archived"),
    (4001, "A1795\x9b31m\n- 1: {evil: x} # ", 207.2100, 26.5910, "HRC-I", "NONE", 2.05, 53005.5, "archived"),
    (4002, 'QSO "1348+263"', 207.2300, 26.6000, "ACIS-S", "HETG", 60.0, 53371.0, "archived"),
    (29999, "A1795", 207.2200, 26.5900, "ACIS-I", "NONE", 30.0, 60676.0, "observed"),
    (31000, "A1795", 207.2200, 26.5900, "ACIS-I", "NONE", 0.0, None, "unobserved"),
    (4003, "OFF_15_ARCMIN", 207.2200, 26.8400, "ACIS-I", "NONE", 10.0, 53371.0, "archived"),
    (4004, "CORNER_OF_BOX", 207.3900, 26.7400, "ACIS-I", "NONE", 10.0, 53371.0, "archived"),
    (5001, "WEST_OF_ZERO", 359.9500, 10.0, "ACIS-I", "NONE", 10.0, 53371.0, "archived"),
    (5002, "EAST_OF_ZERO", 0.0500, 10.0, "ACIS-I", "NONE", 10.0, 53371.0, "archived"),
    (6001, "NEAR_POLE", 10.0, 89.9, "ACIS-I", "NONE", 10.0, 53371.0, "archived"),
    (6002, "OVER_POLE", 190.0, 89.95, "ACIS-I", "NONE", 10.0, 53371.0, "archived"),
    (7001, "NO_POSITION", None, None, "ACIS-I", "NONE", 0.0, None, "scheduled"),
]

SESAME = """# {name}\t#Q1
#=S=Simbad (CDS, via client/server):    1     0ms (from cache)
%@ 4063
%C.0 ClG
%J 207.2188000 +26.5928000 = 13 48 52.51 +26 35 34.0
%I.0 ACO  1795
#====Done (2025-Jan-01,00:00:00z)====
"""
SESAME_NOTHING = (
    "# {name}\t#Q1\n#!SNV=Simbad+NED+VizieR: *** Nothing found ***\n#====Done (2025-Jan-01,00:00:00z)====\n"
)

ERROR = """<?xml version="1.0" encoding="UTF-8"?>
<VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">
<RESOURCE type="results">
<INFO name="QUERY_STATUS" value="ERROR">No such table&#155;31m
observation</INFO></RESOURCE>
</VOTABLE>"""


def database() -> sqlite3.Connection:
    """Both tables, each in its own words."""
    base = sqlite3.connect(":memory:")
    base.execute("ATTACH ':memory:' AS cxc")
    base.execute(
        "CREATE TABLE cxc.observation "
        "(obsid, target_name, ra, dec, instrument, grating, exposure_time, start_date, status)"
    )
    base.execute("CREATE TABLE chanmaster (obsid, name, ra, dec, detector, grating, exposure, time, status)")
    for obsid, target, ra, dec, detector, grating, exposure, mjd, status in ROWS:
        day = (
            None
            if mjd is None
            else str(np.datetime64("1858-11-17T00:00:00") + np.timedelta64(int(mjd * 86400), "s"))
        )
        base.execute(
            "INSERT INTO cxc.observation VALUES (?,?,?,?,?,?,?,?,?)",
            (obsid, target, ra, dec, detector, grating, exposure, day, status),
        )
        base.execute(
            "INSERT INTO chanmaster VALUES (?,?,?,?,?,?,?,?,?)",
            (obsid, target.replace("_", " "), ra, dec, detector, grating, exposure * 1000, mjd, status),
        )
    return base


def answer_to(query: str, form: str) -> bytes:
    """The VOTable for a query."""
    with database() as base:
        cursor = base.execute(query)
        names = [column[0] for column in cursor.description]
        rows = cursor.fetchall()
    table = Table()
    for name, values in zip(names, zip(*rows, strict=True) if rows else [()] * len(names), strict=True):
        absent = [value is None for value in values]
        text = name in ("target_name", "name", "instrument", "detector", "grating", "start_date", "status")
        filled = [("" if text else 0) if value is None else value for value in values]
        kind = str if text else int if name == "obsid" else float
        table[name] = MaskedColumn(np.array(filled, dtype=kind), mask=absent)
    votable = from_table(table)
    votable.resources[0].type = "results"
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        votable.to_xml(buffer, tabledata_format=form)
    status = b'<INFO name="QUERY_STATUS" value="OK"/>'
    return buffer.getvalue().replace(b'<RESOURCE type="results">', b'<RESOURCE type="results">' + status)


class Handler(BaseHTTPRequestHandler):
    """The first part of the path says how the service behaves."""

    server: Services

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        form = {k.upper(): v[0] for k, v in urllib.parse.parse_qs(self.rfile.read(length).decode()).items()}
        self.server.queries.append(form["QUERY"])
        behaviour = self.path.split("/")[1]
        assert self.path == f"/{behaviour}/sync"
        assert (form["LANG"], form["REQUEST"]) == ("ADQL", "doQuery")
        getattr(self, f"tap_{behaviour}")(form["QUERY"])

    def do_GET(self) -> None:
        behaviour, _, rest = self.path[1:].partition("/")
        if behaviour == "results":
            self.reply(200, answer_to(self.server.queries[-1], "tabledata"))
        else:
            getattr(self, f"sesame_{behaviour}")(urllib.parse.unquote(rest.partition("?")[2]))

    def tap_cxc(self, query: str) -> None:
        """As the CXC: the answer is elsewhere."""
        self.reply(303, b"", ("Location", "/results/1"))

    def tap_heasarc(self, query: str) -> None:
        self.reply(200, answer_to(query, "binary"))

    def tap_error(self, query: str) -> None:
        self.reply(200, ERROR.encode())

    def tap_error400(self, query: str) -> None:
        self.reply(400, ERROR.encode())

    def tap_broken(self, query: str) -> None:
        self.reply(500, b"<html><body>Internal Server Error</body></html>", ("Content-Type", "text/html"))

    def tap_html(self, query: str) -> None:
        self.reply(200, b"<html><body>Down for maintenance</body></html>", ("Content-Type", "text/html"))

    def tap_malformed(self, query: str) -> None:
        self.reply(200, answer_to(query, "tabledata")[:-300])

    def tap_nonsense(self, query: str) -> None:
        self.reply(200, answer_to(query, "tabledata").replace(b">207.22<", b">north<"))

    def tap_cut(self, query: str) -> None:
        body = answer_to(query, "tabledata")
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:400])

    def tap_columns(self, query: str) -> None:
        self.reply(200, answer_to("SELECT obsid, ra, dec FROM cxc.observation", "tabledata"))

    def tap_overflow(self, query: str) -> None:
        body = answer_to(query, "tabledata").replace(
            b"</TABLE>", b'</TABLE><INFO name="QUERY_STATUS" value="OVERFLOW"/>'
        )
        self.reply(200, body)

    def tap_silent(self, query: str) -> None:
        self.server.over.wait(60)

    def tap_drip(self, query: str) -> None:
        """A byte now and then: no single read ever takes long."""
        self.send_response(200)
        self.end_headers()
        self.drip(answer_to(query, "tabledata"))

    def sesame_sesame(self, name: str) -> None:
        known = name.lower() in ("abell 1795", "a1795")
        self.reply(200, (SESAME if known else SESAME_NOTHING).format(name=name).encode())

    def sesame_broken(self, name: str) -> None:
        self.reply(500, b"")

    def sesame_html(self, name: str) -> None:
        self.reply(200, b"\xff\xfe<html>")

    def sesame_drip(self, name: str) -> None:
        self.send_response(200)
        self.end_headers()
        self.drip(SESAME.encode())

    def drip(self, body: bytes) -> None:
        for byte in body:
            if self.server.over.is_set():
                return
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(0.1)

    def reply(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in headers or (("Content-Type", "application/x-votable+xml"),):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Nothing on standard error."""


class Services(ThreadingHTTPServer):
    """All of them, and what they were asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.queries: list[str] = []
        self.errors: list[str] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        """Where they are."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *arguments: object) -> None:
        """Ignore clients that have gone; anything else is an error of these services."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError):
            self.errors.append(repr(error))


@contextmanager
def running() -> Iterator[Services]:
    """The services, while they run."""
    services = Services()
    thread = threading.Thread(target=services.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield services
    finally:
        services.over.set()
        services.shutdown()
        thread.join()
        services.server_close()
