"""Who acts when a command is called: the user of this machine, by number and not by what the environment says."""

from __future__ import annotations

import os
import pwd

from operations.accounts.schema import Principal
from operations.audit.schema import Actor


def user_name() -> str:
    """As this machine calls the user; the number where it has no name (a container)."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def actor() -> Actor:
    """For the audit trail."""
    return Actor(f"cli:{user_name()}"[:160])


def who() -> Principal:
    """With all rights: whoever reaches the data directory has them anyhow. Two people are two, for what needs four eyes."""
    return Principal(0, actor().name, "", "secadmin")


def at_incidents() -> Principal:
    """The same person as one who works on incidents, which the security administrator does not see: no role may everything."""
    return Principal(0, actor().name, "", "responder")
