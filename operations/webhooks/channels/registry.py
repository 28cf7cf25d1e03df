"""The kinds of targets there are."""

from __future__ import annotations

from operations.errors import Invalid
from operations.webhooks.channels.apprise import Apprise
from operations.webhooks.channels.cef import Cef
from operations.webhooks.channels.cloudevents import CloudEvents
from operations.webhooks.channels.contract import Channel
from operations.webhooks.channels.dingtalk import DingTalk
from operations.webhooks.channels.feishu import Feishu
from operations.webhooks.channels.kafka import Kafka
from operations.webhooks.channels.leef import Leef
from operations.webhooks.channels.mail import Mail
from operations.webhooks.channels.standard import Standard
from operations.webhooks.channels.wecom import WeCom

_ALL: tuple[Channel, ...] = (
    Standard(), CloudEvents(), DingTalk(), WeCom(), Feishu(), Mail(), Cef(), Leef(), Kafka(), Apprise(),
)  # fmt: skip
CHANNELS: dict[str, Channel] = {channel.kind: channel for channel in _ALL}
KINDS = tuple(CHANNELS)


def channel_of(kind: str) -> Channel:
    """The channel of that name. Raises Invalid."""
    if kind not in CHANNELS:
        raise Invalid(f"there is no kind of webhook {kind[:32]!r}", f"one of {', '.join(KINDS)}", field="kind")
    return CHANNELS[kind]
