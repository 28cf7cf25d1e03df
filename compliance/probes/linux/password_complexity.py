"""New passwords must be long and mixed (pam_pwquality, pam_cracklib, pam_passwdqc)."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, Words, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import number, together
from compliance.probes.formats.pam import Rule, everywhere

_LEAST, _KINDS = 8, 3
_CREDITS = ("dcredit", "ucredit", "lcredit", "ocredit")


def _judge(facts: Facts) -> Judgement:
    files = facts.files("pam")
    if not any(path.startswith(("/etc/pam.d/", "/usr/lib/pam.d/")) for path in files):
        raise Unreadable("there are no PAM stacks", "没有 PAM 配置")
    rules = everywhere(files, "password", "pam_pwquality", "pam_cracklib", "pam_passwdqc")
    if not rules:
        return judgement([Text("no module checks new passwords", "没有模块检查新口令")])
    rule = rules[0]
    if rule.module == "pam_passwdqc":
        return judgement(weak=[Text("pam_passwdqc: its settings need a person's look", "pam_passwdqc：其参数需人工查看")])
    settings = _settings(files, rule)
    least, kinds = settings.get("minlen", 8), max(settings.get("minclass", 0), sum(settings.get(one, 0) < 0 for one in _CREDITS))
    shown = f"minlen = {least}, minclass = {kinds}"
    bad = [shown] if least < _LEAST and kinds < _KINDS else []
    weak: list[Words] = [shown] if not bad and (least < _LEAST or kinds < _KINDS) else []
    if settings.get("enforcing", 1) == 0:
        bad.append("enforcing = 0")
    if "enforce_for_root" not in settings:
        note = Text("not for passwords that root sets (enforce_for_root)", "root 设置的口令不受限（enforce_for_root）")
        weak += [] if bad else [note]
    return judgement(bad, weak, [shown])


def _settings(files: dict[str, str], rule: Rule) -> dict[str, int]:
    """Of the files (pam_pwquality only), then of the line, which counts more."""
    read = (
        together(text for path, text in sorted(files.items()) if "/pwquality.conf" in path)
        if rule.module == "pam_pwquality"
        else {}
    )
    for argument in rule.arguments:
        key, _, value = argument.partition("=")
        read[key] = value
    return {key: number(value) or 0 if value else 1 for key, value in read.items()}


PROBE = Probe(
    id="host.pam_pwquality.complexity",
    way="host.pam_pwquality",
    source="linux",
    items=("8.1.4.1.a",),
    units=("6.3.1",),
    reads=("pam",),
    title=Text("Password complexity", "口令复杂度"),
    criterion=Text(
        "new passwords, also of root, have 8 characters or more of 3 kinds or more",
        "新口令（含 root）至少 8 位且至少 3 类字符",
    ),
    to_be_confirmed=True,
    reproduce="grep -rE 'pwquality|cracklib' /etc/pam.d; cat /etc/security/pwquality.conf",
    judge=_judge,
)
