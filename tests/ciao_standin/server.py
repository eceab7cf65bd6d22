"""A process that has all modules of the tools loaded, and forks itself for each call of a tool.

A tool that starts as a Python process of its own spends most of its time on imports. Only calls that a test
wants to fail start so, as they have to hang, crash or be killed as CIAO's processes are.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from .tool import TOOLS, main

_ROOT = Path(__file__).parents[2]
_POLL = 0.005
"""Seconds between two looks at whether a tool has ended."""


@cache
def start() -> Path:
    """Start the server of this process and return its socket; it ends with this process."""
    directory = tempfile.mkdtemp(prefix="ciao-")
    path = Path(directory) / "socket"
    command = [sys.executable, "-m", __name__, str(path)]
    server = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdout is not None
    assert server.stdin is not None
    server.stdout.readline()
    server.stdout.close()

    def stop() -> None:
        server.communicate()
        shutil.rmtree(directory, ignore_errors=True)

    atexit.register(stop)
    return path


def serve(path: str) -> None:
    """Answer calls until standard input ends."""
    for tool in (*TOOLS, "ciaover"):
        import_module(f".{tool}", __package__)
    import matplotlib.backends.backend_agg  # noqa: F401 - for deflare's plot

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(16)
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _answer(connection)
            connection.close()


def _answer(connection: socket.socket) -> None:
    """Run one tool in a process of its own; end it when whoever called it is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, descriptors, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile("rb") as stream:
        call = json.loads(stream.readline())
    tool = os.fork()
    if tool == 0:
        connection.close()
        os._exit(_run(call, descriptors))
    while True:
        ended, status = os.waitpid(tool, os.WNOHANG)
        if ended:
            connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
            os._exit(0)
        if select.select([connection], [], [], _POLL)[0]:
            os.kill(tool, signal.SIGKILL)
            os._exit(0)


def _run(call: dict[str, Any], descriptors: list[int]) -> int:
    """Be the tool: with the arguments, the environment, the directory and the streams of the caller."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    os.environ.clear()
    os.environ.update(call["environment"])
    tempfile.tempdir = None
    os.chdir(call["directory"])
    try:
        return main(call["tool"], call["arguments"], Path(call["installation"]))
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    serve(sys.argv[1])
