"""A SoftHSM2 for this process: its library reads its configuration once, so tokens are made before and handed out one a test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tests.key_devices import SoftHsm, make_softhsm

_TOKENS = 12


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    made = make_softhsm(tmp_path_factory.mktemp("softhsm"))
    for number in range(_TOKENS):
        made.add_token(f"token{number}")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ.update(made.environment)
    yield made
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


@pytest.fixture(scope="session")
def _labels() -> Iterator[str]:
    return (f"token{number}" for number in range(_TOKENS))


@pytest.fixture
def fresh_token(softhsm: SoftHsm, _labels: Iterator[str]) -> Callable[[], str]:
    """Gives the label of a token that nobody has used."""
    return lambda: next(_labels)
