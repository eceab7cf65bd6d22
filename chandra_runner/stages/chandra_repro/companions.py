"""The files that go with an event list, as both executors of chandra_repro know them."""

from __future__ import annotations

from collections.abc import Mapping

KEYWORDS: Mapping[str, str] = {"asol": "ASOLFILE", "badpix": "BPIXFILE", "mask": "MASKFILE", "dtf": "DTFFILE"}
"""Keywords by which the header of an event list names its companion files, by role."""
