"""``python -m chandra_runner`` is ``chandra-run``."""

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
