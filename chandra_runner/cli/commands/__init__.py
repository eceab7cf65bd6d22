"""The commands of ``chandra-run``: one module each."""

from __future__ import annotations

import argparse
from typing import Protocol

from chandra_runner.cli.options import Subparsers
from chandra_runner.errors import ExitCode

from . import export, find, init, plan, run, stages, status, validate, verify


class Command(Protocol):
    """What the module of a command has.

    A module imports what its command works with inside `execute`: all modules are imported for ``--help``,
    which must answer at once.
    """

    def add_parser(self, subparsers: Subparsers) -> None:
        """Add the command, with its help and its options."""

    def execute(self, options: argparse.Namespace) -> ExitCode:
        """Execute the command and return the exit code of the program."""


COMMANDS: tuple[Command, ...] = (run, plan, validate, status, verify, export, stages, init, find)
"""In the order in which help lists them."""
