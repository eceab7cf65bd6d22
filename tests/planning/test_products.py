"""Products are found by role."""

from __future__ import annotations

from pathlib import Path

import pytest

import chandra_runner
from chandra_runner.errors import DataError
from chandra_runner.planning.fingerprint import FingerprintParts

from .products import publish


def test_products_are_found_by_role(tmp_path: Path) -> None:
    parts = FingerprintParts("deflare", 1, "native", {}, {})
    publish(tmp_path / "11" / "deflare", parts, {"gti": "1", "plot": "2"})
    products = chandra_runner.open_products(str(tmp_path), 11)
    assert products.stages == ("deflare",)
    (gti,) = products.find("gti", "deflare")
    assert gti.path.read_text() == "1"
    assert products.find("gti", "deflare", exposure="E001") == ()
    assert products.find("events", "deflare") == ()


def test_products_that_were_not_made_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"ObsID 11 has no products in "):
        chandra_runner.open_products(tmp_path, 11)
    (tmp_path / "11").mkdir()
    with pytest.raises(DataError, match=r"deflare has no readable manifest"):
        chandra_runner.open_products(tmp_path, 11).find("gti", "deflare")
