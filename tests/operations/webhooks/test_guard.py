"""Where webhooks may go: the public internet by TLS, and what the configuration allows; nothing else."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from operations.errors import Invalid
from operations.webhooks.guard import Refused, WebhookPolicy, check_url, resolve

OPEN = WebhookPolicy()
LOOPBACK = WebhookPolicy(allow=("127.0.0.0/8", "::1/128"))


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://100.100.100.200/",
        "https://10.1.2.3/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://[fe80::1]/",
        "https://[fd00:ec2::254]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://[2002:7f00:1::]/",
        "https://[64:ff9b::127.0.0.1]/",
        "https://[64:ff9b:1::127.0.0.1]/",
        "https://[::127.0.0.1]/",
        "https://[::ffff:0:127.0.0.1]/",
        "https://[fec0::1]/",
        "https://[4000::1]/",
        "https://[ff02::1]/",
        "http://8.8.8.8/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "https://",
        "https://user:secret@example.com/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://exa mple.com/",
        "https://example.com/\r\nX-Evil: 1",
        "https://[broken/",
        "//example.com/",
        "https://example.com/#fragment",
        "https://example.com/" + "a" * 2048,
    ],
)
def test_refused_at_once(url: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_url(url, OPEN)
    assert refusal.value.field == "url"


@pytest.mark.parametrize("url", ["https://example.com/hook?x=1", "https://8.8.8.8:8443/", "https://[2606:4700::1111]/"])
def test_accepted(url: str) -> None:
    check_url(url, OPEN)


def test_an_allowed_network_may_be_reached_even_without_tls() -> None:
    check_url("http://127.0.0.1:8080/", LOOPBACK)
    check_url("http://[::1]:8080/", LOOPBACK)
    with pytest.raises(Invalid):
        check_url("http://10.0.0.1/", LOOPBACK)


def answers(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """What the name service says from now on."""

    async def getaddrinfo(_loop: object, _host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)


def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "169.254.169.254", "10.0.0.1", "fe80::1%eth0")
    with pytest.raises(Refused, match=r"169\.254\.169\.254"):
        asyncio.run(resolve("innocent.example", 443, "https", OPEN))


def test_of_several_addresses_a_public_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "127.0.0.1", "93.184.215.14")
    assert asyncio.run(resolve("mixed.example", 443, "https", OPEN)) == "93.184.215.14"


def test_a_name_without_address() -> None:
    with pytest.raises(Refused, match="no address"):
        asyncio.run(resolve("nothing.invalid", 443, "https", OPEN))
