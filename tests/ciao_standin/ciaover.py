"""ciaover: what is installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path


def run(arguments: Sequence[str], installation: Path) -> None:
    """Print versions; with ``-v`` where they are, too."""
    version = (installation / "VERSION").read_text().strip()
    contrib = (installation / "contrib" / "VERSION.CIAO_scripts").read_text().strip()
    print("The current environment is configured for:")
    print(f"  CIAO        : {version}")
    print(f"  Contrib     : {contrib}")
    if "-v" in arguments:
        print(f"  bindir      : {installation / 'bin'}")
        print(f"  Python path : {Path(sys.executable).parent}")
        print(f"  CALDB       : {_caldb_version(os.environ.get('CALDB', ''))}")
        print("\nSystem information:\nLinux")


def _caldb_version(directory: str) -> str:
    from astropy.io import fits

    path = Path(directory) / "docs" / "chandra" / "caldb_version" / "caldb_version.fits"
    return str(fits.getdata(path)["CALDB_VER"][-1]).strip() if path.is_file() else "not installed"
