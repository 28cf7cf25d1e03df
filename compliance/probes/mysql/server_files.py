"""The server does not read and write files for who asks."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.mysql import is_on, variables


def _judge(facts: Facts) -> Judgement:
    found = variables(facts)
    if "local_infile" not in found:
        raise Unreadable("the server does not say local_infile", "服务器未给出 local_infile")
    place = found.get("secure_file_priv", "")
    bad = [Text("secure_file_priv is empty: any folder", "secure_file_priv 为空：可读写任意目录")] if place == "" else []
    return judgement(bad, ["local_infile = ON"] if is_on(found["local_infile"]) else [], [f"secure_file_priv = {place}"])


PROBE = Probe(
    id="mysql.services.server_files",
    way="db.grants",
    source="mysql",
    items=("8.1.4.2.f",),
    objects=("database",),
    reads=("variables",),
    title=Text("Files of the server", "文件读写限制"),
    criterion=Text(
        "SQL reads and writes files in one folder at most, and none of the client", "SQL 至多在一个目录读写文件，且不读取客户端文件"
    ),
    to_be_confirmed=True,
    reproduce="SHOW VARIABLES LIKE 'secure_file_priv'; SHOW VARIABLES LIKE 'local_infile'",
    judge=_judge,
)
