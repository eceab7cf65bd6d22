"""``python -m chandra_runner`` is ``chandra-run``."""

from chandra_runner.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
