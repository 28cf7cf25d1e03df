"""The circuit breaker of a target: one that fails round after round is left alone for a while, and then tried with one message.

What waits meanwhile uses up none of its attempts. The first success closes the breaker.
"""

from __future__ import annotations

import random

from operations import clock
from operations.webhooks.models import WebhookTarget

AFTER = 5
"""Rounds without a success that open it."""

PAUSE, LONGEST = 30.0, 600.0
"""Seconds of the first pause, doubled with each further failure, and of the longest."""


def pause(failures: int) -> float:
    """Seconds to leave a target alone after so many failed rounds; 0 while the breaker is closed."""
    if failures < AFTER:
        return 0.0
    return min(PAUSE * 2.0 ** min(failures - AFTER, 16), LONGEST) * random.uniform(0.9, 1.1)  # noqa: S311  # spreads load


def is_open(target: WebhookTarget) -> bool:
    """Whether only one message may try how things stand."""
    return target.failures >= AFTER


def paused_until(target: WebhookTarget) -> str:
    """When it is tried again; "" = it is not paused."""
    return target.ready_at if is_open(target) and target.ready_at > clock.now() else ""


def close(target: WebhookTarget) -> None:
    """A person asks for another try now."""
    if is_open(target):
        target.failures, target.ready_at = 0, ""
