"""Hosts of the configuration are those that the playbooks' own reading of hosts takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.config.names import is_host
from playbooks.vault.hosts import normal


@given(st.one_of(st.text(alphabet="ab1.:-_*[]%/ x", max_size=14), st.text(alphabet="0123456789abcdef.:[]", max_size=20)))
def test_what_is_taken_can_be_used(text: str) -> None:
    if is_host(text):
        normal(text)


@pytest.mark.parametrize(
    "text", ["cam", "cam.example.cn:8080", "*.example.cn", "10.0.0.7", "10.0.0.7:80", "2001:db8::7", "[2001:db8::7]:80"]
)
def test_hosts(text: str) -> None:
    assert is_host(text)
