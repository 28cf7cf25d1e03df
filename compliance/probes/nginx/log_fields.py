"""Records of requests say when, who, from where, what, and how it went."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.nginx import asked

_WANTED = {
    Text("time", "时间"): ("$time_", "$msec"),
    Text("address", "来源地址"): ("$remote_addr", "$realip_remote_addr", "$http_x_forwarded_for", "$binary_remote_addr"),
    Text("request", "请求"): ("$request", "$uri"),
    Text("outcome", "结果"): ("$status",),
    Text("account", "用户"): ("$remote_user", "$jwt_", "$ssl_client_s_dn", "$cookie_", "$http_authorization_user"),
}


def _judge(facts: Facts) -> Judgement:
    found = asked(facts)
    if found is None:
        return not_applicable(Text("there is no nginx", "没有 nginx"))
    servers = found.named("server")
    if servers and all(any(one.arguments[:1] == ["off"] for one in found.in_force(server, "access_log")) for server in servers):
        return judgement([Text("no request is recorded (access_log off)", "未记录访问日志（access_log off）")])
    formats = {one.arguments[0]: " ".join(one.arguments[1:]) for one in found.named("log_format") if one.arguments}
    used = {words[1] for one in found.named("access_log") if len(words := one.arguments) > 1 and "=" not in words[1]}
    bad: list[Text] = []
    weak: list[Text] = []
    lines: list[str] = []
    for name in sorted(used - {"combined"}):
        text = formats.get(name, "")
        lines.append(f"log_format {name} {text}")
        missing = [word for word, signs in _WANTED.items() if not any(sign in text for sign in signs)]
        told = [Text(f"{name}: no {word.en}", f"{name}：缺 {word.zh}") for word in missing]
        (bad if len(missing) > 1 else weak).extend(told)
    return judgement(bad, weak, sorted(used) or ["combined"], lines)


PROBE = Probe(
    id="nginx.audit.log_fields",
    way="app.audit",
    source="nginx",
    items=("8.1.4.3.b",),
    objects=("middleware",),
    reads=("nginx", "nginx-programs", "processes"),
    title=Text("Fields of records", "日志字段"),
    criterion=Text("records have time, account, address, request and outcome", "日志含时间、用户、来源地址、请求与结果"),
    reproduce="nginx -T | grep -A5 log_format",
    judge=_judge,
)
