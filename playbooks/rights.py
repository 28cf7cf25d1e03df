"""What an account may do with playbooks: permissions of ``operations.accounts.permissions``, asked in one way.

None of them is held by an account with a scope: an action of a playbook sees the whole city.
"""

from __future__ import annotations

from operations.accounts.schema import Principal
from operations.errors import Denied

READ = "playbooks.read"
RUN = "playbooks.run"
EDIT = "playbooks.edit"
RELEASE = "playbooks.release"
SECRETS = "playbooks.secrets"


def wrote(who: Principal, author: str) -> bool:
    """Whether ``who`` is the person behind ``author``, the name of an actor: also where that was a key of theirs."""
    return author == who.name or (author.startswith("key:") and author.endswith(f" ({who.name})"))


def need(who: Principal, *permissions: str) -> None:
    """Raises Denied unless ``who`` has one of ``permissions``."""
    if not any(who.may(one) for one in permissions):
        raise Denied("you may not do this with playbooks", "ask somebody whose role may")
