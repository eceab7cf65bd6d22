"""A call ends in time, or is given up."""

from __future__ import annotations

import threading
import time

import pytest

from chandra_runner.archive.catalog.deadline import DeadlineError, within


def test_a_call_in_time_returns_or_raises_what_it_does() -> None:
    def fail() -> None:
        raise KeyError("why")

    assert within(10, lambda: 42) == 42
    with pytest.raises(KeyError, match="why"):
        within(10, fail)


def test_a_call_that_takes_too_long_is_given_up() -> None:
    over = threading.Event()
    began = time.monotonic()
    with pytest.raises(DeadlineError):
        within(0.1, lambda: over.wait(60))
    assert time.monotonic() - began < 10
    over.set()
