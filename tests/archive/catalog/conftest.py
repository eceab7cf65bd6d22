"""The archives' services on loopback, for tests in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ...tap_service import Services, running


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """TAP and Sesame services that behave well or badly, as the first part of the path says."""
    monkeypatch.setenv("no_proxy", "*")
    with running() as running_services:
        yield running_services
        assert not running_services.errors
