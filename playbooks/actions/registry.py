"""Which kinds of commands there are here. Whoever starts an executor chooses; ``standard`` is what is safe to have everywhere."""

from __future__ import annotations

from playbooks.actions.contract import ActionKind
from playbooks.actions.destination import Reach
from playbooks.actions.http_api import HttpApi
from playbooks.actions.manual import Manual
from playbooks.actions.openc2_http import OpenC2Http


def standard(reach: Reach = Reach()) -> dict[str, ActionKind]:
    """Commands by kind. ``reach``: the networks that HTTP commands may go to. No scripts are run: bash and ssh are not among
    them."""
    return {"http-api": HttpApi(reach), "openc2-http": OpenC2Http(reach), "manual": Manual()}
