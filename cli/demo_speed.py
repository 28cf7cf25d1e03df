"""``--speed`` of the demo, the same for ``serve`` and ``demo stream``."""

from __future__ import annotations

import math

import click

SLOWEST, FASTEST = 0.01, 100.0
"""Beyond these a day of the city takes months, or the clock of the demo outruns what one process can send."""


class _Speed(click.FloatRange):
    """A number between the bounds; a range alone takes ``nan``, which is neither smaller nor larger than anything."""

    name = "number"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value} is not in the range {self._describe_range()}.", param, ctx)
        return number


speed_option = click.option(
    "--speed", type=_Speed(SLOWEST, FASTEST), default=1.0, show_default=True, help="Demo seconds per second."
)
