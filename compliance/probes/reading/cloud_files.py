"""What an account at Alibaba Cloud or Huawei Cloud was exported to, as a target: a folder, or a ZIP of it, with JSON files.

A file is called after the operation whose answer it holds, with the resource where one was asked for, and a number of a further
page: ``DescribeTrails.json``, ``DescribeDBInstanceTDE@rm-1.json``, ``ListSecurityGroupRules~2.json`` (docs/compliance.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from compliance.probes.contract import Source
from compliance.probes.facts import Part
from compliance.probes.formats import cloud_answers as read
from compliance.probes.formats.cloud_answers import Answers, Incomplete
from compliance.probes.formats.encoded_text import decoded
from compliance.probes.reading.folder import files_of
from kernel.errors import LiandunError
from kernel.programs.time_left import TimeLeft

MOST_OCTETS = 32 << 20
"""Of all answers together: JSON takes many times its size in memory."""
_NAME = re.compile(r"(?P<operation>[A-Za-z]+)(?:@(?P<resource>[^~]+))?(?P<page>~(?:[2-9]|[1-9][0-9]{1,3}))?\.json")
_READERS: Mapping[str, Mapping[str, Callable[[Answers], Any]]] = {
    "rules": {"DescribeSecurityGroups": read.aliyun_rules, "ListSecurityGroupRules": read.huawei_rules},
    "users": {"GetCredentialReport": lambda said: read.aliyun_users(said)[0], "KeystoneListUsers": read.huawei_users},
    "keys": {"GetCredentialReport": lambda said: read.aliyun_users(said)[1], "KeystoneListUsers": read.huawei_keys},
    "trails": {"DescribeTrails": read.aliyun_trails, "ListTrackers": read.huawei_trails},
    "databases": {"DescribeDBInstances": read.aliyun_bases, "ListInstances": read.huawei_bases},
    "buckets": {"ListBuckets": read.aliyun_buckets, "GetBucketInfo": read.aliyun_buckets},
}
"""Part → operation of which one has to be there → how it is read; another way of reading is another provider."""


class CloudExport(msgspec.Struct, frozen=True):
    """``path``: a folder or a ZIP with the answers of one account."""

    name: str
    path: Path
    sources: tuple[Source, ...] = ("cloud",)

    def read(self, parts: Collection[str], time_left: TimeLeft) -> Mapping[str, Part]:
        """Raises LiandunError: none of the operations is there, one is there twice, a file is no JSON or all are too large."""
        answers: dict[tuple[str, str], Any] = {}
        together = 0
        for name, octets in files_of(self.path):
            time_left.left()
            named = _NAME.fullmatch(PurePosixPath(name).name)
            if not named:
                continue
            together += len(octets)
            if together > MOST_OCTETS:
                raise LiandunError(f"the answers in {self.path.name} are too large", f"limit: {MOST_OCTETS >> 20} MiB together")
            asked = named["operation"], (named["resource"] or "") + (named["page"] or "")
            if asked in answers:
                raise LiandunError(f"{PurePosixPath(name).name} is there twice", "one folder for each account, with one region")
            answers[asked] = _json(decoded(octets), name)
        found = {part: _part(answers, readers) for part, readers in _READERS.items()}
        if not any(one for one in found.values()):
            operations = sorted({name for readers in _READERS.values() for name in readers})
            raise LiandunError(f"{self.path.name} lists nothing of a cloud", f"one of {', '.join(operations)}, as NAME.json")
        return {part: said for part, said in found.items() if said}


def _part(answers: Answers, readers: Mapping[str, Callable[[Answers], Any]]) -> Part | None:
    there = [operation for operation in readers if any(name == operation for name, _ in answers)]
    if not there:
        return None
    how = ", ".join(there)
    if len({readers[operation] for operation in there}) > 1:
        return Part("", "the export is of two providers: one folder for each account", how)
    try:
        return Part(msgspec.json.encode(readers[there[0]](answers)).decode(), how=how)
    except Incomplete as error:
        return Part("", f"the export lacks {error}", how)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        return Part("", f"{how} is not in the documented shape ({type(error).__name__}: {error})"[:200], how)


def _json(text: str, name: str) -> Any:
    """The JSON; ossutil prints a line about the time behind it. Raises LiandunError."""
    try:
        return json.JSONDecoder().raw_decode(text.lstrip())[0]
    except (ValueError, RecursionError) as error:
        raise LiandunError(f"{name} is no JSON", "the answer of one command, as it was printed") from error
