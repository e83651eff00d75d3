"""What several tests of the relay stand on."""

from __future__ import annotations

import pytest

from tests.relay.certificates import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One that all trust, who mean to."""
    return Authority(tmp_path_factory.mktemp("authority"))
