"""What blocks of ``Match`` in sshd_config(5) set otherwise: ``sshd -T`` tells only what holds where no condition does."""

from __future__ import annotations

from collections.abc import Mapping

from compliance.probes.formats.keyed import uncommented


def in_blocks(files: Mapping[str, str], key: str) -> list[str]:
    """``Match CONDITION: KEY VALUE`` for each block that sets ``key`` (in small letters)."""
    found = []
    for text in files.values():
        condition = ""
        for line in uncommented(text):
            name, _, value = line.replace("=", " ", 1).replace("\t", " ").partition(" ")
            if name.lower() == "match":
                condition = "" if value.strip().lower() == "all" else value.strip()
            elif condition and name.lower() == key:
                found.append(f"Match {condition}: {name} {value.strip()}")
    return found
