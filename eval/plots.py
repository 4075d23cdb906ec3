"""Plots as SVG text: values in, one `<svg>` element out, its colours left to the page's style sheet.

Every plot is 360 units wide, so that it can be read on a phone, has a title and a description for who cannot
see it, and tells its values when pointed at. Texts are escaped here.
"""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

WIDTH, HEIGHT = 360, 230
LEFT, RIGHT, TOP, BOTTOM = 42, 12, 14, 40
BARS = 120
"""Bars of a plot by query, at most: more queries are drawn as this many quantiles."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What a plot is about: its title and a sentence that says what is seen, and the names of its axes."""

    title: str
    description: str
    x: str
    y: str


@dataclass(slots=True)
class _Canvas:
    """Elements drawn on axes from `low` to `high` in both directions."""

    labels: Labels
    x: tuple[float, float]
    y: tuple[float, float]
    parts: list[str] = field(default_factory=list)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A point in the units of the picture."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return (
            round(LEFT + across * (WIDTH - LEFT - RIGHT), 1),
            round(HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM), 1),
        )

    def axes(self, x_ticks: Sequence[float], y_ticks: Sequence[float], *, counts: bool = False) -> None:
        """Lines and numbers; `counts` have no sign, wherever they hang."""
        left, bottom = self.at(self.x[0], self.y[0])
        right, top = self.at(self.x[1], self.y[1])
        for tick in y_ticks:
            _, y = self.at(self.x[0], tick)
            self.parts.append(f'<line class="grid" x1="{left}" y1="{y}" x2="{right}" y2="{y}"/>')
            self.text(left - 6, y + 3.5, number(abs(tick) if counts else tick), "end")
        for tick in x_ticks:
            x, _ = self.at(tick, self.y[0])
            self.parts.append(f'<line class="axis" x1="{x}" y1="{bottom}" x2="{x}" y2="{bottom + 4}"/>')
            self.text(x, bottom + 15, number(tick), "middle")
        self.parts.append(f'<line class="axis" x1="{left}" y1="{bottom}" x2="{right}" y2="{bottom}"/>')
        self.text((left + right) / 2, HEIGHT - 6, self.labels.x, "middle", "name")
        middle = (top + bottom) / 2
        self.parts.append(
            f'<text class="name" text-anchor="middle" transform="translate(11 {middle}) rotate(-90)">'
            f"{_escaped(self.labels.y)}</text>"
        )

    def text(self, x: float, y: float, words: str, anchor: str = "start", kind: str = "tick") -> None:
        self.parts.append(
            f'<text class="{kind}" x="{round(x, 1)}" y="{round(y, 1)}" text-anchor="{anchor}">{_escaped(words)}</text>'
        )

    def line(self, kind: str, points: Sequence[tuple[float, float]]) -> None:
        path = " ".join("{},{}".format(*self.at(*point)) for point in points)
        self.parts.append(f'<polyline class="{kind}" points="{path}"/>')

    def bar(self, kind: str, x: tuple[float, float], y: tuple[float, float], told: str, gap: float = 0) -> None:
        left, bottom = self.at(x[0], min(y))
        right, top = self.at(x[1], max(y))
        width = max(0.4, right - left - gap)
        height = max(0.6, bottom - top)
        self.parts.append(
            f'<rect class="{kind}" x="{left + gap / 2:.1f}" y="{bottom - height:.1f}" '
            f'width="{width:.1f}" height="{height:.1f}">{_told(told)}</rect>'
        )

    def dot(self, kind: str, x: float, y: float, told: str, radius: float = 4) -> None:
        across, down = self.at(x, y)
        self.parts.append(f'<circle class="{kind}" cx="{across}" cy="{down}" r="{radius:.1f}">{_told(told)}</circle>')

    def svg(self) -> str:
        return _svg(self.labels, HEIGHT, self.parts)


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) within low to high, at most `most`.

    Heckbert, Nice numbers for graph labels, in Graphics Gems (1990).
    """
    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10, 20) if (high - low) / (factor * power) <= most - 1 + 1e-9)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 12) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def number(value: float) -> str:
    """As short as it is exact enough for an axis, with a true minus sign."""
    text = f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return text.replace("-", "\N{MINUS SIGN}")


def risk_curve(
    labels: Labels, points: Sequence[tuple[float, float, str]], marked: tuple[float, float, str] | None
) -> str:
    """Risk over coverage, points (x, y, what it says) from left to right; `marked` is the one that ships."""
    canvas = _Canvas(labels, (0, 1), (0, _ceiling(max(y for _, y, _ in points))))
    canvas.axes([0, 0.2, 0.4, 0.6, 0.8, 1], ticks(*canvas.y))
    if marked:
        canvas.line("guide", [(marked[0], 0), marked[:2]])
    canvas.line("series", [(x, y) for x, y, _ in points])
    step = -(-len(points) // BARS)
    for x, y, told in points[::step]:
        canvas.dot("touch", x, y, told, 5)
    if marked:
        canvas.dot("mark", *marked, radius=5)
    return canvas.svg()


def calibration(labels: Labels, dots: Sequence[tuple[float, float, float, float, int, str]]) -> str:
    """Shares over confidences: dots (x, y, low, high, count, what it says) on the diagonal are well calibrated."""
    canvas = _Canvas(labels, (0, 1), (0, 1))
    canvas.axes([0, 0.2, 0.4, 0.6, 0.8, 1], [0, 0.2, 0.4, 0.6, 0.8, 1])
    canvas.line("guide", [(0, 0), (1, 1)])
    most = max((count for *_, count, _ in dots), default=1)
    for x, y, low, high, count, told in dots:
        canvas.line("whisker", [(x, low), (x, high)])
        canvas.dot("dot", x, y, told, 2.5 + 3.5 * math.sqrt(count / most))
    return canvas.svg()


def histogram(
    labels: Labels,
    values: Sequence[float],
    unit: str = "",
    marks: Sequence[tuple[float, str]] = (),
    top: float | None = None,
    against: Sequence[float] = (),
    bins: int = 20,
) -> str:
    """How many of the values, none below 0, lie in each of `bins` equal ranges up to `top`.

    `against` are counted downwards from the same line. `marks` are (value, name): lines across. Without a
    `top`, values beyond one and a half times the last mark are counted in the last bar, which says so.
    """
    high = max(*values, *against, 0.0) if against else max(values)
    if top is None:
        top = _ceiling(min([high, *(1.5 * mark for mark, _ in marks[-1:])]))
    width = top / bins
    ups, downs = ([0] * bins, [0] * bins)
    for counts, counted in ((ups, values), (downs, against)):
        for value in counted:
            counts[min(bins - 1, int(value / width))] += 1
    reach = _ceiling(max(*ups, *downs))
    canvas = _Canvas(labels, (0, top), (-reach if against else 0, reach))
    canvas.axes(ticks(0, top), [tick for tick in ticks(*canvas.y) if tick == int(tick)], counts=True)
    for kind, sign, counts in (("bar", 1, ups), ("bar lost", -1, downs)):
        for place, count in enumerate(counts):
            start, end = place * width, (place + 1) * width
            more = " or more" if place == bins - 1 and high > top else f" to {number(end)}"
            if count:
                told = f"{number(start)}{more} {unit}".strip()
                canvas.bar(kind, (start, end), (0, sign * count), f"{told}: {count}", gap=1)
    for place, (value, name) in enumerate(marks):
        if value <= top:
            across, _ = canvas.at(value, 0)
            canvas.line("guide", [(value, canvas.y[0]), (value, canvas.y[1])])
            near_end = across > WIDTH - 70
            canvas.text(
                across + (-3 if near_end else 3), TOP + 8 + 11 * place, name, "end" if near_end else "start", "flag"
            )
    if against:
        canvas.line("axis", [(0, 0), (top, 0)])
    return canvas.svg()


def profile(labels: Labels, values: Sequence[float], names: Sequence[str], *, differences: bool = False) -> str:
    """One bar a query from the best to the worst; of `differences`, from the largest gain to the largest loss."""
    ordered = sorted(zip(values, names, strict=True), key=lambda one: -one[0])
    if len(ordered) > BARS:
        places = [round(n * (len(ordered) - 1) / (BARS - 1)) for n in range(BARS)]
        ordered = [ordered[place] for place in places]
    high = _ceiling(max(abs(ordered[0][0]), abs(ordered[-1][0])))
    low = -high if differences else 0.0
    canvas = _Canvas(labels, (0, len(values)), (low, high))
    canvas.axes([tick for tick in ticks(0, len(values)) if tick == int(tick)], ticks(low, high))
    width = len(values) / len(ordered)
    for place, (value, name) in enumerate(ordered):
        kind = "bar" if value >= 0 else "bar lost"
        told = f"{signed(value) if differences else number(round(value, 4))}  {name}"
        canvas.bar(kind, (place * width, (place + 1) * width), (0, value), told, gap=1 if len(ordered) <= 60 else 0)
    if differences:
        canvas.line("axis", [(0, 0), (len(values), 0)])
    return canvas.svg()


def whiskers(labels: Labels, rows: Sequence[tuple[str, float, float, float, bool]]) -> str:
    """Differences with their intervals, rows (name, value, low, high, sure); the line is at 0, `sure` is filled."""
    reach = _ceiling(max(max(abs(low), abs(high)) for _, _, low, high, _ in rows) or 0.01)
    step, first = 34, 8
    bottom = first + step * len(rows) + 6
    span = WIDTH - 40

    def across(value: float) -> float:
        return round(20 + (value + reach) / (2 * reach) * span, 1)

    parts = []
    for tick in ticks(-reach, reach):
        kind = "axis" if tick == 0 else "grid"
        parts.append(f'<line class="{kind}" x1="{across(tick)}" y1="{first}" x2="{across(tick)}" y2="{bottom}"/>')
        label = signed(tick, digits=4)
        parts.append(f'<text class="tick" x="{across(tick)}" y="{bottom + 14}" text-anchor="middle">{label}</text>')
    for place, (name, value, low, high, sure) in enumerate(rows):
        middle = first + place * step + 25
        told = _told(f"{name}: {signed(value)} ({signed(low)} to {signed(high)})")
        kind = "dot" if sure else "dot open"
        parts.append(f'<text class="row" x="20" y="{middle - 11}">{_escaped(name)}</text>')
        parts.append(
            f'<line class="whisker" x1="{across(low)}" y1="{middle}" x2="{across(high)}" y2="{middle}">{told}</line>'
            f'<circle class="{kind}" cx="{across(value)}" cy="{middle}" r="4.5">{told}</circle>'
        )
    parts.append(
        f'<text class="name" x="{WIDTH / 2:g}" y="{bottom + 32}" text-anchor="middle">{_escaped(labels.x)}</text>'
    )
    return _svg(labels, bottom + 38, parts)


def signed(value: float, digits: int = 3) -> str:
    """With its sign, a true minus; 0 has none."""
    text = f"{value:+.{digits}f}" if digits == 3 else f"{value:+.{digits}g}"
    return "0" if value == 0 else text.replace("-", "\N{MINUS SIGN}")


def _ceiling(value: float) -> float:
    """The next round number at or above, for the end of an axis; 1 stays 1."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(
        factor * power for factor in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if value <= factor * power * (1 + 1e-9)
    )


def _svg(labels: Labels, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{_escaped(labels.title)}">'
        f"<desc>{_escaped(labels.description)}</desc>{''.join(parts)}</svg>"
    )


def _told(words: str) -> str:
    return f"<title>{_escaped(words)}</title>"


def _escaped(words: str) -> str:
    return html.escape(words)
