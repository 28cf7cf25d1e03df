"""Which act leads from which state to which, and who does it. Pure: no database, no clock.

待阅 to_read ──receipt──▶ 待办 to_do ──take──▶ 在办 in_hand ──finish──▶ 办结 done
     (a notification is done with its receipt)        │ send_back            │ send_back (by the issuer)
                                                      ▼                      ▼
                                 打回 sent_back (issuer's turn)   打回 sent_back (handler's turn) ──take──▶ in_hand
"""

from __future__ import annotations

import msgspec

HANDLER, ISSUER = "handler", "issuer"


class Step(msgspec.Struct, frozen=True):
    """``side``: who does it; ``states``: from where; ``to`` "" = stays; ``reason``: a note is needed."""

    side: str
    states: frozenset[str]
    to: str = ""
    waiting_for: str = ""
    turn: str = ""
    reason: bool = False


_OPEN = frozenset({"to_read", "to_do", "in_hand", "sent_back"})
_WITH_HANDLER = frozenset({"to_read", "to_do", "in_hand"})

STEPS: dict[str, tuple[Step, ...]] = {
    "receipt": (Step(HANDLER, frozenset({"to_read"}), "to_do", HANDLER),),
    "take": (
        Step(HANDLER, frozenset({"to_read", "to_do"}), "in_hand", HANDLER),
        Step(HANDLER, frozenset({"sent_back"}), "in_hand", HANDLER, turn=HANDLER),
    ),
    "finish": (Step(HANDLER, frozenset({"in_hand"}), "done", "", reason=True),),
    "send_back": (
        Step(HANDLER, _WITH_HANDLER, "sent_back", ISSUER, reason=True),
        Step(ISSUER, frozenset({"done"}), "sent_back", HANDLER, reason=True),
    ),
    "resend": (Step(ISSUER, frozenset({"sent_back"}), "to_do", HANDLER, turn=ISSUER),),
    "close": (Step(ISSUER, frozenset({"to_read", "to_do", "sent_back"}), "done", "", reason=True),),
    "transfer": (Step(HANDLER, _WITH_HANDLER), Step(ISSUER, _OPEN)),
    "delegate": (Step(HANDLER, _WITH_HANDLER),),
    "edit": (Step(ISSUER, _OPEN),),
}
ACTS: tuple[str, ...] = tuple(STEPS)
_OF_A_NOTIFICATION = frozenset({"receipt", "close", "transfer", "edit", "send_back"})


def step(act: str, kind: str, state: str, waiting_for: str, sides: frozenset[str]) -> Step | None:
    """The step that ``act`` is for somebody who stands on ``sides``, None where it is not allowed.

    A notification asks for nothing but its receipt: with it, it is done.
    """
    if kind == "notification" and (act not in _OF_A_NOTIFICATION or (act == "send_back" and state == "done")):
        return None
    for one in STEPS.get(act, ()):
        if one.side in sides and state in one.states and one.turn in ("", waiting_for):
            if act == "receipt" and kind == "notification":
                return msgspec.structs.replace(one, to="done", waiting_for="")
            return one
    return None


def allowed(kind: str, state: str, waiting_for: str, sides: frozenset[str]) -> list[str]:
    """All acts that are possible now."""
    return [act for act in ACTS if step(act, kind, state, waiting_for, sides) is not None]
