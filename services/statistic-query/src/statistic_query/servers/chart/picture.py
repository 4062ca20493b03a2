"""Draws a chart as SVG: no script, nothing loaded from elsewhere, every text escaped."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import cached_property
from html import escape
from itertools import pairwise
from typing import Literal

from statistic_query.servers.chart.axes import Scale, scale, times
from statistic_query.servers.chart.series import Bound, Drawn, Kind, Line
from statistic_query.servers.chart.style import style

Theme = Literal["light", "dark", "auto"]

LEFT, RIGHT, BOTTOM, CHARACTER = 68.0, 20.0, 42.0, 6.9
"""Margins, and the width of a character on average, in pixels."""


@dataclass(frozen=True)
class Picture:
    """A chart of some lines; `gap` is the time between two points from which on there is no line."""

    kind: Kind
    server: str
    lines: Sequence[Line]
    bounds: Sequence[Bound]
    start: datetime
    end: datetime
    zone: tzinfo
    gap: timedelta
    shape: str = "line"
    width: int = 800
    theme: Theme = "auto"

    def svg(self) -> str:
        """The document."""
        name = f"{self.kind.title} of {self.server}, {self._local(self.start)} to {self._local(self.end)}"
        size = f'width="{self.width}" height="{self._height:g}" viewBox="0 0 {self.width} {self._height:g}"'
        of = f'<tspan class="of" dx="10">{text(self._short_name())}</tspan>'
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc">',
            f'<title id="title">{text(name)}</title>',
            f'<desc id="desc">{text(self._description())}</desc>',
            f"<style>{style(self.theme)}</style>",
            *self._gradient(),
            f'<rect class="card" x=".5" y=".5" width="{self.width - 1}" height="{self._height - 1:g}" rx="10"/>',
            f'<text class="title" x="20" y="31">{text(self.kind.title)}{of}</text>',
            *self._legend(),
            *self._value_axis(),
            *self._time_axis(),
            *(part for place, line in enumerate(self.lines) for part in self._line(place, line)),
            *self._bounds(),
        ]
        if not self.lines:
            middle = (LEFT + self._right) / 2, (self._top + self._bottom) / 2
            parts.append(f'<text class="none" x="{middle[0]:g}" y="{middle[1]:g}">No data in this time</text>')
        return "\n".join([*parts, "</svg>\n"])

    @cached_property
    def _scale(self) -> Scale:
        highest = max([line.highest for line in self.lines] + [bound.value for bound in self.bounds], default=0.0)
        return scale(highest, self.kind.unit)

    @cached_property
    def _rows(self) -> list[list[tuple[int, str, str]]]:
        """The entries of the legend, each with the number of its line, in rows."""
        rows: list[list[tuple[int, str, str]]] = [[]]
        room = self.width - 40.0
        space = room
        for place, line in enumerate(self.lines):
            label = line.label if len(line.label) <= 32 else f"…{line.label[-31:]}"
            value = self.kind.unit.text(line.points[-1][1])
            wide = (len(label) + len(value) + 5) * CHARACTER
            if wide > space and rows[-1]:
                rows.append([])
                space = room
            rows[-1].append((place, label, value))
            space -= wide
        return rows

    @property
    def _top(self) -> float:
        return 52.0 + 20 * len(self._rows)

    @property
    def _bottom(self) -> float:
        return self._top + min(max(self.width * 0.28, 140), 320)

    @property
    def _height(self) -> float:
        return round(self._bottom + BOTTOM)

    @property
    def _right(self) -> float:
        return self.width - RIGHT

    def _x(self, at: datetime) -> float:
        return LEFT + (self._right - LEFT) * ((at - self.start) / (self.end - self.start))

    def _y(self, value: float) -> float:
        return self._bottom - (self._bottom - self._top) * min(value / self._scale.top, 1.0)

    def _local(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M %Z}"

    def _short_name(self) -> str:
        room = int((self.width - 60) / CHARACTER) - len(self.kind.title)
        return self.server if len(self.server) <= room else f"{self.server[: max(room - 1, 0)]}…"

    def _description(self) -> str:
        written = self.kind.unit.text
        said = [
            f"{line.label}: last {written(line.points[-1][1])}, from {written(min(point[2] for point in line.points))}"
            f" to {written(line.highest)}"
            for line in self.lines
        ]
        return "; ".join(said) or "No data in this time"

    def _gradient(self) -> Iterator[str]:
        strong = 0.5 if self.shape == "area" else 0.28
        yield '<defs><linearGradient id="fill" x1="0" y1="0" x2="0" y2="1">'
        yield f'<stop class="s0" offset="0" stop-opacity="{strong}"/><stop class="s0" offset="1" stop-opacity=".02"/>'
        yield "</linearGradient></defs>"

    def _legend(self) -> Iterator[str]:
        for number, row in enumerate(self._rows):
            yield f'<text x="20" y="{54 + 20 * number}">'
            for place, label, value in row:
                yield f'<tspan class="t{place}">●</tspan> <tspan class="label">{text(label)}</tspan>'
                yield f'<tspan class="value"> {text(value)}</tspan><tspan dx="14"> </tspan>'
            yield "</text>"

    def _value_axis(self) -> Iterator[str]:
        for value, label in self._scale.ticks:
            y = self._y(value)
            kind = "grid" if value else "base"
            yield f'<line class="{kind}" x1="{LEFT:g}" x2="{self._right:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text class="tick end" x="{LEFT - 9:g}" y="{y + 4:.1f}">{text(label)}</text>'

    def _time_axis(self) -> Iterator[str]:
        for at, time, date in times(self.start, self.end, self.zone, max(int((self._right - LEFT) / 72), 2)):
            x = self._x(at)
            yield f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{self._bottom:.1f}" y2="{self._bottom + 5:.1f}"/>'
            label, below = (time, date) if time else (date, "")
            kind = "tick day" if below else "tick"
            if LEFT - 20 <= x <= self.width - 16:
                yield f'<text class="{kind}" x="{x:.1f}" y="{self._bottom + 19:.1f}">{label}</text>'
            if below and x <= self.width - 34:
                yield f'<text class="tick day" x="{x:.1f}" y="{self._bottom + 33:.1f}">{below}</text>'

    def _line(self, place: int, line: Line) -> Iterator[str]:
        first = place == 0
        for part in self._parts(line.points):
            upper = [f"{self._x(at):.1f} {self._y(high):.1f}" for at, _, _, high in part]
            path = [f"{self._x(at):.1f} {self._y(value):.1f}" for at, value, _, _ in part]
            if first and self.shape == "bar":
                yield from self._bars(part)
                continue
            if len(part) == 1:
                x, y = path[0].split()
                yield f'<circle class="t{place}" cx="{x}" cy="{y}" r="1.8"/>'
                continue
            if first or len(self.lines) <= 2:
                lower = [f"{self._x(at):.1f} {self._y(low):.1f}" for at, _, low, _ in reversed(part)]
                if upper != path or lower[::-1] != path:
                    yield f'<path class="band t{place}" d="M{"L".join((*upper, *lower))}Z"/>'
            if first and not self.kind.by_name:
                begin, end = self._x(part[0][0]), self._x(part[-1][0])
                yield (
                    f'<path fill="url(#fill)" d="M{begin:.1f} {self._bottom:.1f}L{"L".join(path)}'
                    f'L{end:.1f} {self._bottom:.1f}Z"/>'
                )
            yield f'<path class="line l{place}" d="M{"L".join(path)}"/>'

    def _parts(self, points: Sequence[Drawn]) -> Iterator[list[Drawn]]:
        """The points between two gaps."""
        part: list[Drawn] = []
        for point in points:
            if part and point[0] - part[-1][0] > self.gap:
                yield part
                part = []
            part.append(point)
        yield part

    def _bars(self, part: Sequence[Drawn]) -> Iterator[str]:
        edges = [self._x(point[0]) for point in part]
        apart = min((after - before for before, after in pairwise(edges)), default=6.0)
        wide = max(min(apart * 0.8, 24.0), 1.0)
        for x, (_, value, _, _) in zip(edges, part, strict=True):
            y, high = self._y(value), self._bottom - self._y(value)
            yield f'<rect class="t0" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" rx="1"/>'

    def _bounds(self) -> Iterator[str]:
        for it in self.bounds:
            y, kind = self._y(it.value), "threshold" if it.threshold else "total"
            yield f'<line class="{kind}" x1="{LEFT:g}" x2="{self._right:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
            below = y < self._top + 16
            place = f'x="{self._right - 4:g}" y="{y + (14 if below else -5):.1f}"'
            yield f'<text class="{kind}-label" {place}>{text(it.label)}</text>'


def text(value: str) -> str:
    """A text as XML, without the characters that XML cannot hold."""
    return escape("".join(character for character in value if character.isprintable()))
