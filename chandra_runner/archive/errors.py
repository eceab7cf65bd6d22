"""What goes wrong with an archive, as the code that asks it needs to tell apart."""

from __future__ import annotations

from chandra_runner.errors import DataError


class ArchiveError(DataError):
    """An archive did not give what was asked for; another one may."""


class AbsentError(ArchiveError):
    """The archive answered, and does not have it or does not give it out: asking again is no use."""


class PassingError(Exception):
    """What may be over at the next try: a stall, a cut connection, a server in trouble.

    Parameters
    ----------
    message : str
        What happened.
    wait : float
        How long the server asks to be left alone, s.
    """

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait
