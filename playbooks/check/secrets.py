"""No password, token or key stands in a playbook: it names the secret, the sealed store holds it (docs/playbooks.md).

A playbook is shown, exported, compared and signed; what stands in it is known to everybody who may read it. So these are errors in
drafts, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from playbooks.check.report import Report
from playbooks.model import Action, Authentication, Party, Playbook, Variable
from playbooks.references import references

_STORE = "keep it in the secret store and name it: kms true, kms_key_identifier"
_CARRIERS = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token", "x-api-token"})
_SCHEMES = re.compile(r"(?:basic|bearer|token|apikey)\s+", re.IGNORECASE)


def check_secrets(playbook: Playbook, report: Report) -> None:
    variables = dict(playbook.playbook_variables)
    for step in playbook.workflow.values():
        variables.update(step.step_variables)
    for key, login in playbook.authentication_info_definitions.items():
        _login(f"authentication_info_definitions.{key}", login, variables, report)
    for group in ("agent_definitions", "target_definitions"):
        for key, party in getattr(playbook, group).items():
            _urls(f"{group}.{key}.address.url", party, report)
    for key, step in playbook.workflow.items():
        if isinstance(step, Action):
            for place, command in enumerate(step.commands):
                for name, values in command.headers.items():
                    if name.lower() in _CARRIERS and any(_is_plain(value, variables) for value in values):
                        path = f"workflow.{key}.commands[{place}].headers.{name}"
                        report.wrong(path, f"the header {name} holds a secret in plain", "give the target a login with kms", key)


def _login(path: str, login: Authentication, variables: Mapping[str, Variable], report: Report) -> None:
    for name in ("password", "token", "oauth_header"):
        value = getattr(login, name)
        if name == "oauth_header" and _SCHEMES.fullmatch(value.strip() + " "):
            continue  # "Bearer" alone names the scheme
        if value and _is_plain(value, variables):
            report.wrong(f"{path}.{name}", f"the {name} stands in plain", _STORE)
        elif value and login.kms:
            report.wrong(f"{path}.{name}", f"{name} stands beside kms", "remove it: the store holds it")
    if login.kms and not login.kms_key_identifier.strip():
        report.lacking(f"{path}.kms_key_identifier", "the name of the secret is missing", "name it as it is called in the store")
    if login.kms_key_identifier and not login.kms:
        report.wrong(f"{path}.kms", "kms_key_identifier counts with kms true only", "add kms true")
    given = login.password or login.token or login.oauth_header
    if login.type in ("http-basic", "oauth2", "user-auth") and not login.kms and not given:
        report.lacking(path, "the login has no secret", _STORE)


def _is_plain(text: str, variables: Mapping[str, Variable]) -> bool:
    """Whether something secret can be read here: text beside variables, or a variable whose value the playbook gives."""
    found = list(references(text))
    rest, at = "", 0
    for one in found:
        rest += text[at : one.start]
        at = one.end
    if _SCHEMES.sub("", rest + text[at:] + " ").strip():
        return True
    return any(variables[one.name].value not in (None, "") for one in found if one.name in variables)


def _urls(path: str, party: Party, report: Report) -> None:
    for place, text in enumerate(party.address.get("url", ())):
        try:
            holds = "@" in urlsplit(text).netloc
        except ValueError:
            continue
        if holds:
            report.wrong(f"{path}[{place}]", "the URL holds a user name or password", "give the target a login with kms")
