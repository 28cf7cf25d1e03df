"""Back ends one by one: a test with ``sm2_engine`` or ``gcm_engine`` runs on each that this machine has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crypto.errors import BackendMissingError
from crypto.sm2 import engine as sm2
from crypto.sm4 import gcm


@pytest.fixture(params=sm2.CANDIDATES)
def sm2_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[sm2.Engine]:
    monkeypatch.setenv("LIANDUN_SM2", request.param)
    sm2.engine.cache_clear()
    try:
        yield sm2.engine()
    except BackendMissingError as error:
        pytest.skip(str(error))
    finally:
        sm2.engine.cache_clear()


@pytest.fixture(params=gcm.CANDIDATES)
def gcm_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[gcm.GcmEngine]:
    monkeypatch.setenv("LIANDUN_SM4", request.param)
    gcm.engine.cache_clear()
    try:
        yield gcm.engine()
    except BackendMissingError as error:
        pytest.skip(str(error))
    finally:
        gcm.engine.cache_clear()
