"""Which hosts a target of the type ssh names, by the URLs that people fill in."""

from __future__ import annotations

import pytest

from playbooks.actions.contract import ActionError
from playbooks.actions.ssh_host import SshHost, named
from playbooks.model import Party


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("ssh://gw.city.example", SshHost("gw.city.example", 22)),
        ("ssh://10.9.0.1:2222/", SshHost("10.9.0.1", 2222)),
        ("ssh://[2001:db8:9::1]", SshHost("2001:db8:9::1", 22)),
    ],
)
def test_a_url_names_a_host(url: str, host: SshHost) -> None:
    assert named(Party(type="ssh", address={"url": [url], "ipv4": ["10.9.0.2"]})) == [host, SshHost("10.9.0.2", 22)]


@pytest.mark.parametrize(
    "url",
    [
        "https://gw.city.example",
        "ssh://root@gw.city.example",
        "ssh://gw.city.example/etc",
        "ssh://gw.city.example?x",
        "ssh://-oProxyCommand=id",
        "ssh://gw city",
        "ssh://[fe80::1%25eth0]",
        "ssh://10.9.0.1:0",
        "ssh://10.9.0.1:99999",
        "ssh://999.9.9.9",
        "ssh://[::1",
        "ssh://",
        "",
    ],
)
def test_a_url_that_names_none(url: str) -> None:
    with pytest.raises(ActionError) as caught:
        named(Party(type="ssh", address={"url": [url]}))
    assert caught.value.code == "COMMAND_WRONG"
