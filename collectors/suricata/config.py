"""Our own suricata.yaml, generated for each run.

Debian's default leaves Modbus, DNP3 and ENIP off, writes no JA3/JA4, no file hashes and knows only IPv4 private ranges as
HOME_NET. Keys after the Suricata user guide 7.0 (https://docs.suricata.io/en/suricata-7.0.10/configuration/suricata-yaml.html);
the same file is accepted by 7.0 and 8.0.

Two EVE files are written: ``eve.json`` with what happened on the wire, ``stats.json`` with the health of the sensor.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import yaml

from collectors.suricata.networks import Networks, address_groups

CONTENT = Path(__file__).resolve().parents[2] / "rules" / "suricata"
"""Our rules/suricata: classification.config and reference.config lie there."""

SOCKET = "suricata.sock"
"""Name of the command socket in the log folder. Suricata is started there and told ``/proc/self/cwd/…``, since the path of a
socket must not be longer than 107 bytes (unix(7)) and a data directory may be."""

PACKETS = "packets.pcap"
"""Files of kept packets in the log folder: this name, a dot, and the second at which the file was begun."""

_PACKET_FILES, _LEAST_PACKET_FILE = 16, 4 << 20  # Suricata refuses smaller files

_EVE_PROTOCOLS = (
    *("rdp", "nfs", "smb", "tftp", "ike", "dcerpc", "krb5", "bittorrent-dht", "snmp", "rfb", "sip", "quic", "ssh"),
    *("http2", "modbus", "dnp3", "ftp", "smtp"),
)
"""Event types that need no option."""

_PARSED_PROTOCOLS = (
    *("telnet", "mqtt", "krb5", "bittorrent-dht", "snmp", "ike", "dcerpc", "ftp", "rdp", "http2"),
    *("nfs", "tftp", "ntp", "dhcp", "sip", "imap", "pgsql"),
)

_PORT_GROUPS = {
    "HTTP_PORTS": "[80,8000,8080,8088,8888]",
    "SHELLCODE_PORTS": "!80",
    "ORACLE_PORTS": "1521",
    "SSH_PORTS": "22",
    "DNP3_PORTS": "20000",
    "MODBUS_PORTS": "502",
    "FILE_DATA_PORTS": "[$HTTP_PORTS,110,143]",
    "FTP_PORTS": "21",
    "GENEVE_PORTS": "6081",
    "VXLAN_PORTS": "4789",
    "TEREDO_PORTS": "3544",
    "SIP_PORTS": "[5060,5061]",
}

_ONE_LINE = 1 << 20
"""Signs a line may have: an address list is not folded."""

_DETECTED_PROTOCOLS: dict[str, dict[str, str]] = {
    # Suricata probes for these only at the ports named here (dp of the server; sp where an answer may come first)
    "modbus": {"dp": "502"},
    "dnp3": {"dp": "20000"},
    "enip": {"dp": "44818", "sp": "44818"},
    "smb": {"dp": "139, 445"},
    "rfb": {"dp": "5900, 5901, 5902, 5903, 5904, 5905, 5906, 5907, 5908, 5909"},
}
_WHOLE_STREAM = frozenset({"modbus", "dnp3", "enip", "pgsql"})
"""Long-lived connections that are followed to their end, not to ``stream.reassembly.depth``."""

_TIMEOUTS = {
    # seconds; Suricata's built-in ones are so short that a quiet connection counts as two
    "default": {"new": 30, "established": 300, "closed": 0, "bypassed": 100},
    "tcp": {"new": 60, "established": 600, "closed": 60, "bypassed": 100},
    "udp": {"new": 30, "established": 300, "bypassed": 100},
    "icmp": {"new": 30, "established": 300, "bypassed": 100},
}
_EMERGENCY = {
    # seconds, while the flow table is full
    "default": {"new": 10, "established": 100, "closed": 0, "bypassed": 50},
    "tcp": {"new": 5, "established": 100, "closed": 10, "bypassed": 50},
    "udp": {"new": 10, "established": 100, "bypassed": 50},
    "icmp": {"new": 10, "established": 100, "bypassed": 50},
}


class SensorSettings(msgspec.Struct, frozen=True):
    """What differs between runs.

    log_dir        absolute folder for eve.json, stats.json, suricata.log and the file store
    rule_files     absolute paths of .rules files; none = metadata and files only
    content        folder with classification.config and reference.config
    networks       what is ours, by zone
    name           of the sensor; on every event as ``host``
    interfaces     live capture by AF_PACKET; empty = offline
    vlan_tracking  equal addresses in two VLANs are two connections. Off for a mirror whose two directions carry different tags
    run_as         user name to drop to after start (only meaningful as root)
    store_files    keep carried files in ``log_dir/filestore``
    max_file       largest body followed and stored, bytes
    packets        bytes of packets that are kept in a ring of files (PACKETS.<seconds> in ``log_dir``); 0 = none
    all_packets    keep all packets, not only those of connections with an alert
    midstream      follow TCP connections whose start was not seen (mirror ports started late, long-lived OT sessions)
    """

    log_dir: Path
    rule_files: tuple[Path, ...] = ()
    content: Path = CONTENT
    networks: Networks = Networks()
    name: str = ""
    interfaces: tuple[str, ...] = ()
    vlan_tracking: bool = True
    run_as: str = ""
    store_files: bool = True
    max_file: int = 16 << 20
    packets: int = 0
    all_packets: bool = False
    midstream: bool = True
    stats_interval: int = 10


def render_config(settings: SensorSettings) -> str:
    """Text of the suricata.yaml for these settings."""
    document = {
        "vars": {"address-groups": address_groups(settings.networks), "port-groups": _PORT_GROUPS},
        "default-log-dir": str(settings.log_dir),
        "stats": {"enabled": True, "interval": settings.stats_interval},
        "outputs": _outputs(settings),
        "logging": _logging(),
        "app-layer": {"protocols": _protocols(settings)},
        "stream": {
            "midstream": settings.midstream,
            "midstream-policy": "ignore",  # we only listen: no exception policy may drop
            "checksum-validation": False,  # offloading NICs and replayed captures carry wrong sums
            "memcap": "256mb",
            "reassembly": {"memcap": "512mb", "depth": settings.max_file},
        },
        "pcap-file": {"checksum-checks": False},
        "max-pending-packets": 4096,
        "exception-policy": "ignore",
        "unix-command": {"enabled": bool(settings.interfaces), "filename": f"/proc/self/cwd/{SOCKET}"},
        "vlan": {"use-for-tracking": settings.vlan_tracking},
        "legacy": {"uricontent": "enabled"},
        "default-rule-path": str(settings.content),
        "rule-files": [str(path) for path in settings.rule_files],
        "classification-file": str(settings.content / "classification.config"),
        "reference-config-file": str(settings.content / "reference.config"),
        "decoder": {name: {"enabled": True, "ports": f"${name.upper()}_PORTS"} for name in ("teredo", "vxlan", "geneve")},
        "flow": {"memcap": "256mb", "hash-size": 65536, "prealloc": 10000, "emergency-recovery": 30},
        "flow-timeouts": {
            name: times | {f"emergency-{state}": seconds for state, seconds in _EMERGENCY[name].items()}
            for name, times in _TIMEOUTS.items()
        },
        # rules come from outside: they may neither run programs nor write files
        "security": {"limit-noproc": True, "lua": {"allow-rules": False}},
        "datasets": {"rules": {"allow-write": False, "allow-absolute-filenames": False}},
    }
    if settings.interfaces:
        document["af-packet"] = [_af_packet(name, 90 + number) for number, name in enumerate(settings.interfaces)]
    if settings.name:
        document["sensor-name"] = settings.name
    if settings.run_as:
        document["run-as"] = {"user": settings.run_as}
    return "%YAML 1.1\n---\n" + yaml.safe_dump(document, sort_keys=False, default_flow_style=False, width=_ONE_LINE)


def _outputs(settings: SensorSettings) -> list[dict[str, Any]]:
    types: list[Any] = [
        {"alert": {"payload": False, "payload-printable": True, "payload-buffer-size": "4kb", "packet": False, "metadata": True}},
        {"anomaly": {"enabled": True, "types": {"decode": False, "stream": False, "applayer": True}}},
        {"http": {"extended": True}},  # no dump-all-headers: cookies and authorisation are secrets
        {"dns": {"version": 2}},
        {"tls": {"extended": True, "session-resumption": True, "ja4": True}},
        {"files": {"force-magic": True, "force-hash": ["md5", "sha1", "sha256"]}},
        {"dhcp": {"enabled": True, "extended": True}},
        {"mqtt": {"passwords": False}},
        {"pgsql": {"enabled": True, "passwords": False}},
        *_EVE_PROTOCOLS,
        "flow",
    ]
    eve = {"enabled": True, "filetype": "regular", "community-id": True, "community-id-seed": 0}
    store = {
        "version": 2,
        "enabled": settings.store_files,
        "force-filestore": True,
        "write-fileinfo": True,
        "stream-depth": settings.max_file + 1,  # must exceed stream.reassembly.depth to count
        "max-open-files": 500,
    }
    return [
        {"eve-log": eve | {"filename": "eve.json", "types": types}},
        {"eve-log": eve | {"filename": "stats.json", "types": [{"stats": {"totals": True, "threads": False, "deltas": False}}]}},
        {"file-store": store},
        {"pcap-log": _packet_log(settings)},
        {"stats": {"enabled": False}},
        {"fast": {"enabled": False}},
    ]


def packet_file_bytes(packets: int) -> int:
    """Bytes of one file of a ring that holds ``packets`` bytes."""
    return max(_LEAST_PACKET_FILE, packets // _PACKET_FILES)


def _packet_log(settings: SensorSettings) -> dict[str, Any]:
    """A ring of capture files. The oldest goes when there are ``max-files``, so a file is a small part of the whole.

    Suricata 7 leaves up to 4 KiB in its buffer until more packets come. Of a TCP connection with an alert it writes what it still
    holds of the stream, then every packet; the handshake of before is not among them.
    """
    if not settings.packets:
        return {"enabled": False}
    size = packet_file_bytes(settings.packets)
    return {
        "enabled": True,
        "filename": PACKETS,
        "mode": "normal",  # one file for all threads: packets of a connection stay in order
        "limit": size,
        "max-files": settings.packets // size,
        "conditional": "all" if settings.all_packets else "alerts",
        "use-stream-depth": False,
        "honor-pass-rules": False,
    }


def _logging() -> dict[str, Any]:
    shape = "%d: "  # "Error: " + message, what log.py reads
    return {
        "default-log-level": "notice",
        "default-log-format": shape,
        "outputs": [
            {"console": {"enabled": True, "format": shape}},
            {"file": {"enabled": False}},
            {"syslog": {"enabled": False}},
        ],
    }


def _protocols(settings: SensorSettings) -> dict[str, Any]:
    protocols: dict[str, Any] = {name: {"enabled": True} for name in _PARSED_PROTOCOLS}
    protocols |= {name: {"enabled": True, "detection-ports": dict(ports)} for name, ports in _DETECTED_PROTOCOLS.items()}
    for name in _WHOLE_STREAM:
        protocols[name]["stream-depth"] = 0
    protocols["ssh"] = {"enabled": True, "hassh": True}
    protocols["smtp"] = {"enabled": True, "mime": {"decode-mime": True, "decode-base64": True, "decode-quoted-printable": True}}
    protocols["dns"] = {side: {"enabled": True, "detection-ports": {"dp": 53}} for side in ("tcp", "udp")}
    protocols["tls"] = {
        "enabled": True,
        "detection-ports": {"dp": 443},
        "ja3-fingerprints": True,
        "ja4-fingerprints": True,
        "encryption-handling": "track-only",
    }
    protocols["quic"] = {"enabled": True, "ja3-fingerprints": True, "ja4-fingerprints": True}
    protocols["http"] = {
        "enabled": True,
        "libhtp": {
            "default-config": {
                "personality": "IDS",
                "request-body-limit": settings.max_file,
                "response-body-limit": settings.max_file,
                "response-body-decompress-layer-limit": 2,
                "http-body-inline": "auto",
                "double-decode-path": False,
                "double-decode-query": False,
                "lzma-enabled": False,  # decompression bombs
                "compression-bomb-limit": "4mb",
            }
        },
    }
    return protocols


def _af_packet(interface: str, cluster: int) -> dict[str, Any]:
    return {
        "interface": interface,
        "threads": "auto",
        "cluster-id": cluster,
        "cluster-type": "cluster_flow",
        "defrag": True,
        "use-mmap": True,
        "tpacket-v3": True,
        "ring-size": 20000,
        "block-size": 1 << 20,
        "checksum-checks": False,
    }
