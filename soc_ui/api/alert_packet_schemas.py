"""The packets of an alert in the API."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested
from apiflask.validators import Length, OneOf

from collectors.packet_slice import CUTS
from soc_ui.api.schemas import Strict, String


class ConversationOut(Schema):
    source = String(required=True)
    target = String(required=True)
    source_port = Integer(metadata={"description": "0 = any"})
    target_port = Integer(metadata={"description": "0 = any"})
    protocol = String(metadata={"description": "network.transport, empty = any"})


class PacketFactsOut(Schema):
    state = String(required=True, validate=OneOf(["found", "none", "no conversation", "no captures"]))
    conversation = Nested(ConversationOut, allow_none=True)
    start = String(metadata={"description": "Looked for from here"})
    end = String(metadata={"description": "to here"})
    packets = Integer()
    octets = Integer(metadata={"description": "Of the pcap"})
    first = String()
    last = String()
    files = Integer(metadata={"description": "Captures that were read"})
    cut = String(validate=OneOf(["", *CUTS]), metadata={"description": "The bound that ended the search early"})
    raw = Boolean(metadata={"description": "The layer below IP was left out, since captures differ in it"})
    problems = List(String(), metadata={"description": "Damaged captures"})


class PacketEvidenceIn(Strict):
    reason = String(required=True, validate=Length(1, 300))


class PacketEvidenceOut(Schema):
    incident = Integer(required=True, metadata={"description": "Where the evidence is now"})
