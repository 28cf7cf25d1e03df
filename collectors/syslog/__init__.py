"""Syslog from the network: UDP (RFC 5426) and TCP (RFC 6587), IPv4 and IPv6 on one socket (collectors.sockets)."""

from collectors.syslog.tcp import TcpSyslog
from collectors.syslog.udp import UdpSyslog

__all__ = ["TcpSyslog", "UdpSyslog"]
