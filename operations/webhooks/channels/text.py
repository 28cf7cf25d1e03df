"""The text of a sending for people: our wording."""

from __future__ import annotations

from collections.abc import Sequence

from operations.webhooks.channels.contract import Destination, Item
from operations.webhooks.channels.wording import digest, note, text_of


def message_text(items: Sequence[Item], to: Destination) -> str:
    """One message as lines, several as a digest."""
    language = str(to.settings.get("language", "zh"))
    notes = [note(item, language) for item in items]
    return text_of(notes[0], language) if len(notes) == 1 else digest(notes, language)


def subject(items: Sequence[Item], to: Destination) -> str:
    """The subject of a mail: the heading of a single message, else how many there are."""
    language = str(to.settings.get("language", "zh"))
    if len(items) == 1:
        return note(items[0], language).heading
    return f"莲盾：{len(items)} 条通知" if language == "zh" else f"Liandun: {len(items)} notifications"
