"""Issued reports and evidence as downloads: never shown within the console, under a name that only we choose."""

from __future__ import annotations

from flask import Response

TYPES = {
    "evidence": "application/octet-stream",
    "pem": "application/x-pem-file",
    "bin": "application/octet-stream",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
}


def as_file(number: str, format_: str, octets: bytes) -> Response:
    """``number`` is that of the report or the evidence: letters, digits and hyphens."""
    headers = {"Content-Disposition": f'attachment; filename="{number}.{format_}"', "Cache-Control": "no-store"}
    return Response(octets, mimetype=TYPES[format_], headers=headers)
