"""Bars of a plot as numbers, for a template to draw: no library, no script."""

from typing import NamedTuple

from webapp.rules.reports import nice_top

WIDTH, HEIGHT = 1000, 200       # of the drawing's own units; the page stretches it
GAP = 0.28                      # of a slot that stays empty


class Bar(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    series: int


class Plot(NamedTuple):
    bars: list
    lines: list         # heights of the lines behind them
    top: int            # the number at the upper edge
    middle: int | None  # and half way; none where that is no whole number


def bars(*series) -> Plot:
    """Bars of several series side by side, slot by slot. `series`: as many numbers each."""
    top = nice_top(max(map(max, series), default=0))
    slot = WIDTH / max(1, len(series[0]))
    width = slot * (1 - GAP) / len(series)
    drawn = [Bar(round(slot * n + slot * GAP / 2 + width * s, 2), round(HEIGHT - value * HEIGHT / top, 2),
                 round(width * 0.94, 2), round(value * HEIGHT / top, 2), s)
             for s, values in enumerate(series) for n, value in enumerate(values) if value]
    return Plot(drawn, [0, HEIGHT // 2, HEIGHT], top, top // 2 if top % 2 == 0 else None)
