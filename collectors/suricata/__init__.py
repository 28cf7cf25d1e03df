"""Packets through Suricata: an own configuration, one-shot runs over pcap files, and a supervised live sensor.

Suricata (https://suricata.io, GPL-2.0) runs as a separate program; nothing of it is linked or copied. Where it is missing,
:class:`SuricataMissing` says how to install it and everything that does not need packets goes on.
"""

from collectors.suricata.binary import SuricataMissing, find_suricata, suricata_version
from collectors.suricata.live import LiveSuricata
from collectors.suricata.offline import PcapLimits, pcap_records

__all__ = ["LiveSuricata", "PcapLimits", "SuricataMissing", "find_suricata", "pcap_records", "suricata_version"]
