"""What happens when the user presses Ctrl-C or a batch system sends SIGTERM."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Interruption:
    """Ends a command early, however it is busy.

    A command is ended by KeyboardInterrupt, unless it says how it ends itself. What is remembered here holds
    even if Python was in a place where it ignores exceptions, such as a destructor.
    """

    requested: bool = False
    _end: Callable[[], None] | None = field(default=None, init=False)

    def watch(self) -> None:
        """From now on, be called for Ctrl-C and SIGTERM."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle)

    @contextmanager
    def ended_by(self, end: Callable[[], None]) -> Iterator[None]:
        """Call a function instead of raising KeyboardInterrupt; at once if it was requested before."""
        self._end = end
        if self.requested:
            end()
        try:
            yield
        finally:
            self._end = None

    def _handle(self, *_: object) -> None:
        again, self.requested = self.requested, True
        if self._end is None or again:
            raise KeyboardInterrupt
        self._end()
