"""A limit on the time that another machine may take, whatever it does with its connection."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class DeadlineError(Exception):
    """The call took too long; its thread runs on until its own timeout, which nobody waits for."""


def within(seconds: float, call: Callable[[], T]) -> T:
    """Return or raise what a call does, if it ends in time.

    A socket's timeout applies to one read: a service that sends a byte now and then never reaches it.

    Raises
    ------
    DeadlineError
        It took more than that many seconds.
    """
    answers: queue.SimpleQueue[tuple[list[T], BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            answers.put(([call()], None))
        except BaseException as error:
            answers.put(([], error))

    threading.Thread(target=work, daemon=True).start()
    try:
        results, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise DeadlineError from None
    if error is not None:
        raise error
    return results[0]
