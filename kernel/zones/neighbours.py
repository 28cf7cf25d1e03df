"""Whose network card an event shows. A MAC address says something of ``source.ip`` only where no router stands between the two.

DHCP: the card is that of the client, who sends from port 68 (RFC 2131 4.1). A relay agent sends the client's message on from its
own address and port 67, and ``giaddr`` names the relay (RFC 1542 4.1.1): then the card is not that of ``source.ip``. Servers send
from port 67 as well, and their answers may have crossed routers.
"""

from __future__ import annotations

from kernel.event import Event
from kernel.zones.model import MAC, normal_mac

_DHCP = "suricata.dhcp"
_NEIGHBOURS = frozenset({_DHCP, "suricata.arp"})
_DHCP_SERVER = 67
_NO_RELAY = ("", "0.0.0.0")  # noqa: S104 - giaddr of a message that came directly


def own_mac(event: Event) -> str:
    """The MAC address of the device that has ``source.ip``, "" where the event does not tell."""
    if str(event.get("event.dataset")) not in _NEIGHBOURS:
        return ""
    if event["event.dataset"] == _DHCP and (event.get("source.port") == _DHCP_SERVER or relay_of(event)):
        return ""
    return _mac(event.get("source.mac"))


def relay_of(event: Event) -> str:
    """The relay agent of a DHCP event ("" for none), an address of the network that the client is in."""
    relay = event.get("suricata.eve.dhcp.relay_ip")
    return relay if isinstance(relay, str) and relay not in _NO_RELAY else ""


def relayed_client(event: Event) -> tuple[str, str]:
    """MAC address of the client whose DHCP request came through a relay, and an address of the network it is in; else two ""."""
    if str(event.get("event.dataset")) != _DHCP or event.get("suricata.eve.dhcp.type") != "request" or own_mac(event):
        return "", ""
    address = relay_of(event) or event.get("source.ip")
    mac = _mac(event.get("host.mac"))
    return (mac, address) if mac and isinstance(address, str) else ("", "")


def _mac(value: object) -> str:
    mac = normal_mac(value) if isinstance(value, str) and len(value) <= 64 else ""
    return mac if MAC.fullmatch(mac) else ""
