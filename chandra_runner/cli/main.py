"""The entry point of ``chandra-run``: parse, execute the command, report errors in words."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from chandra_runner.errors import ChandraRunnerError, ExitCode, from_os

from .command_line import parse
from .interruption import Interruption


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; by default those of the process.
    """
    interruption = Interruption()
    interruption.watch()
    try:
        options = parse(sys.argv[1:] if argv is None else argv)
        # Only now, because --help must answer at once.
        from .logging import set_up

        set_up(options.verbosity)
        options.interruption = interruption
        code: ExitCode = options.execute(options)
        sys.stdout.flush()
        return ExitCode.INTERRUPTED if interruption.requested else code
    except ChandraRunnerError as error:
        return _fail(error)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:  # `chandra-run plan recipe.yaml | head`
        # Python flushes standard output once more when it ends, which must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except OSError as error:
        return _fail(from_os(error))


def _fail(error: ChandraRunnerError) -> ExitCode:
    print(error, file=sys.stderr)
    return error.exit_code
