"""What can go wrong with an archive, as the code that uses it must distinguish."""

from __future__ import annotations

from chandra_runner.errors import DataError


class ArchiveError(DataError):
    """An archive did not deliver what was requested; another one may.

    Parameters
    ----------
    message, hint : str
        As of all errors.
    names_file : bool
        Whether the message names the ObsID, the file and the archive.
    """

    def __init__(self, message: str, hint: str = "", *, names_file: bool = False) -> None:
        super().__init__(message, hint)
        self.names_file = names_file


class NotAvailableError(ArchiveError):
    """The archive answered that it does not have the file, or refuses it: trying again would not help."""


class TemporaryError(Exception):
    """Something that may be over at the next try: a stall, a cut connection, a server in trouble.

    Parameters
    ----------
    message : str
        What happened.
    wait : float
        Time that the server asks to wait, s.
    """

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait
