"""Pcaps of the attacks. scapy takes a second and 60 MB to load, so it is loaded when the first capture is due, not before."""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from typing import Any


def capture(moment: datetime, kind: str, **arguments: Any) -> bytes:
    """The bytes of a pcap; ``kind`` is the function of :mod:`demo.packets` that makes it."""
    made: bytes = getattr(import_module("demo.packets"), kind)(moment, **arguments)
    return made
