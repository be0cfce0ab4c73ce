"""Line charts as small SVG, drawn by hand: no plotting library, no script needed to see them.

Colours come from the page's style sheet (classes ``s0``, ``s1``, ...), so that light and dark work alike.
Knows no metric and no model.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

_WIDTH, _HEIGHT = 380.0, 210.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 10.0, 10.0, 26.0
_NUM_COLORS = 6

Point = tuple[float, float]

_SVG = Markup(
    '<svg class="chart" viewBox="0 0 {width:g} {height:g}" role="img" data-percent="{percent:d}" '
    'data-x="{x_label}" data-lines="{hover}">{content}</svg>'
)
_Y_TICK = Markup(
    '<line class="rule" x1="{left:g}" x2="{right:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
    '<text class="tick" x="{text_x:g}" y="{text_y:.1f}" text-anchor="end">{text}</text>'
)
_X_TEXT = Markup('<text class="tick" x="{x:.1f}" y="{y:g}" text-anchor="{anchor}">{text}</text>')
_LINE = Markup('<polyline class="line {css}" points="{points}"/>')
_BAND = Markup('<polygon class="band {css}" points="{points}"/>')
_DOT = Markup('<circle class="dot {css}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>')


@dataclass(frozen=True, slots=True)
class Series:
    """One line.

    Attributes:
        label: What the legend says.
        color: 0-based position in the page's palette.
        points: (x, y), x ascending.
        band: (low, high) at each point, or None.
    """

    label: str
    color: int
    points: Sequence[Point]
    band: Sequence[Point] | None = None

    @property
    def css(self) -> str:
        return f"s{self.color % _NUM_COLORS}"


@dataclass(frozen=True, slots=True)
class _Axes:
    """From data to the drawing's coordinates."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def at(self, x: float, y: float) -> Point:
        inner_width, inner_height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
        return (
            _LEFT + (x - self.x_low) / (self.x_high - self.x_low) * inner_width,
            _TOP + (1 - (y - self.y_low) / (self.y_high - self.y_low)) * inner_height,
        )


def line_chart(
    series: Sequence[Series],
    *,
    percent: bool,
    x_label: str,
    y_range: Point | None = None,
    whole_x: bool = False,
    smooth: bool = False,
) -> Markup:
    """A chart of one or more lines; the page's script reads ``data-*`` to say values under the pointer.

    Args:
        series: At least one with at least one point; x is a whole number (a step, an attempt).
        percent: Labels y as per cent.
        x_label: Under the x axis.
        y_range: None fits the data.
        whole_x: Marks every x there is (attempts 1, 2, 3 ...) and draws dots.
        smooth: Draws the data thin and its running average over it.
    """
    axes = _fit(series, y_range, math.inf if not percent else 1.0)
    parts = _grid(axes, percent)
    ticks = (
        sorted({x for line in series for x, _ in line.points})
        if whole_x
        else [tick for tick in round_ticks(axes.x_low, axes.x_high, 5) if tick.is_integer()]
    )
    parts += [
        _X_TEXT.format(x=axes.at(tick, axes.y_low)[0], y=_HEIGHT - 12, anchor="middle", text=f"{tick:g}")
        for tick in ticks
    ]
    parts.append(_X_TEXT.format(x=_WIDTH - _RIGHT, y=_HEIGHT - 1, anchor="end", text=x_label))
    for line in series:
        parts += _line(line, axes.at, smooth=smooth, dots=whole_x or len(line.points) == 1)
    hover = [
        {
            "label": line.label,
            "css": line.css,
            "points": [[round(value, 5) for value in (*axes.at(x, y), x, y)] for x, y in line.points],
        }
        for line in series
    ]
    return _SVG.format(
        width=_WIDTH,
        height=_HEIGHT,
        percent=percent,
        x_label=x_label,
        hover=json.dumps(hover, separators=(",", ":")),
        content=Markup("").join(parts),
    )


def smoothed(values: Sequence[float], window: int) -> list[float]:
    """Exponential average with a span of ``window`` values, unbiased at the start."""
    keep = 1 - 2 / (window + 1)
    total, weight = 0.0, 0.0
    result = []
    for value in values:
        total, weight = keep * total + (1 - keep) * value, keep * weight + (1 - keep)
        result.append(total / weight)
    return result


def round_ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers within the range, at steps of 1, 2, 2.5 or 5 times a power of ten."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    return [
        round(index * step, 10)
        for index in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    ]


def _fit(series: Sequence[Series], y_range: Point | None, most: float) -> _Axes:
    """Axes with room around the data, but none where no value can be: below 0, and above ``most``."""
    xs = [x for line in series for x, _ in line.points]
    ys = [y for line in series for _, y in line.points]
    x_low, x_high = min(xs), max(xs)
    if x_high == x_low:
        x_low, x_high = x_low - 0.5, x_high + 0.5
    low, high = min(ys), max(ys)
    # What hardly varies is a flat line, and not its rounding errors across the whole chart.
    room = max((high - low) * 0.08, (abs(high) + abs(low)) * 0.005) or 1.0
    fitted = (max(low - room, min(low, 0.0)), min(high + room, max(high, most)))
    return _Axes(x_low, x_high, *(y_range or fitted))


def _grid(axes: _Axes, percent: bool) -> list[Markup]:
    parts = []
    for tick in round_ticks(axes.y_low, axes.y_high, 4):
        _, y = axes.at(axes.x_low, tick)
        text = f"{100 * tick:.4g}%" if percent else f"{tick:.4g}"
        parts.append(
            _Y_TICK.format(
                left=_LEFT, right=_WIDTH - _RIGHT, y=y, text_x=_LEFT - 5, text_y=y + 3.5, text=text
            )
        )
    return parts


def _line(line: Series, at: Callable[[float, float], Point], *, smooth: bool, dots: bool) -> list[Markup]:
    parts: list[Markup] = []
    drawn = [at(x, y) for x, y in line.points]
    if line.band:
        ends = [(x, *band) for (x, _), band in zip(line.points, line.band, strict=True)]
        outline = [at(x, high) for x, _, high in ends] + [at(x, low) for x, low, _ in reversed(ends)]
        parts.append(_BAND.format(css=line.css, points=_points(outline)))
    if smooth and len(drawn) > 12:
        parts.append(_LINE.format(css=f"raw {line.css}", points=_points(drawn)))
        calm = smoothed([y for _, y in line.points], max(5, len(drawn) // 15))
        drawn = [at(x, y) for (x, _), y in zip(line.points, calm, strict=True)]
    parts.append(_LINE.format(css=line.css, points=_points(drawn)))
    if dots:
        parts += [_DOT.format(css=line.css, x=x, y=y) for x, y in drawn]
    return parts


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
