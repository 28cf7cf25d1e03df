"""Where packets are kept on this machine."""

from __future__ import annotations

from collectors.packet_slice import CapturePlace
from collectors.suricata.config import PACKETS
from kernel.config import Config
from kernel.layout import Layout


def capture_places(config: Config, layout: Layout) -> list[CapturePlace]:
    """Where the sensors of this host keep packets, and where captures are read from."""
    ingest = config.ingest
    places = [CapturePlace(str(layout.suricata / one.id / "log"), f"{PACKETS}.") for one in ingest.interface if one.packets_mib]
    folders = [one.path for one in ingest.pcap_folder] + ([layout.demo_packets] if config.platform.demo else [])
    return places + [CapturePlace(str(folder)) for folder in folders]
