"""Versions of RPM packages: ``[epoch:]version[-release]``, compared as rpmvercmp does (rpm-version(7)).

Segments of digits or letters are compared one by one, everything else only separates; a number is newer than letters. ``~`` sorts
before the end (1.0~rc1 < 1.0), ``^`` behind it but before a further segment (1.0 < 1.0^git1 < 1.0.1).
"""

from __future__ import annotations

import re

_SEGMENT = re.compile(r"~|\^|[0-9]+|[A-Za-z]+")


def split(version: str) -> tuple[int, str, str]:
    """Epoch (0 where none is written), version and release ("" = none)."""
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    number = int(epoch) if re.fullmatch(r"[0-9]{1,9}", epoch) else 0  # rpm writes "(none)" where there is none
    upstream, dash, release = rest.rpartition("-")
    return (number, upstream, release) if dash else (number, rest, "")


def compare(one: str, other: str) -> int:
    """-1, 0 or 1; a release that only one of them tells is not compared (rpm does the same)."""
    epoch, version, release = split(one)
    epoch2, version2, release2 = split(other)
    if epoch != epoch2:
        return -1 if epoch < epoch2 else 1
    return compare_part(version, version2) or (compare_part(release, release2) if release and release2 else 0)


def compare_part(one: str, other: str) -> int:
    """rpmvercmp of two versions without epoch and release."""
    mine, theirs = _SEGMENT.findall(one), _SEGMENT.findall(other)
    for index in range(max(len(mine), len(theirs))):
        segment = mine[index] if index < len(mine) else ""
        segment2 = theirs[index] if index < len(theirs) else ""
        if segment == segment2:
            continue
        for mark, kind in (("~", -1), ("^", 1)):
            if mark in (segment, segment2):
                return _marked(segment, segment2, mark, kind)
        if not segment or not segment2:
            return -1 if not segment else 1
        if segment.isdigit() != segment2.isdigit():
            return 1 if segment.isdigit() else -1
        if segment.isdigit():
            if int(segment) != int(segment2):
                return -1 if int(segment) < int(segment2) else 1
            continue
        return -1 if segment < segment2 else 1
    return 0


def _marked(segment: str, segment2: str, mark: str, kind: int) -> int:
    """One of the two has the mark: ``~`` is older than anything, ``^`` newer than the end and older than anything else."""
    if kind < 0:
        return -1 if segment == mark else 1
    if segment == mark:
        return 1 if not segment2 else -1
    return -1 if not segment else 1
