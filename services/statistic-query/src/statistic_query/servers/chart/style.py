"""The colours of charts in both themes; the contrast of texts with the card is at least 4.5."""

LIGHT = {
    "card": "#ffffff", "edge": "#d8dee4", "text": "#1f2328", "quiet": "#59636e", "grid": "#eaeef2", "base": "#afb8c1",
    "bound": "#cf222e",
}  # fmt: skip
DARK = {
    "card": "#0d1117", "edge": "#30363d", "text": "#e6edf3", "quiet": "#9198a1", "grid": "#21262d", "base": "#484f58",
    "bound": "#ff7b72",
}  # fmt: skip
LINES = {
    "light": ("#0969da", "#bc4c00", "#1a7f37", "#8250df", "#bf3989", "#0f766e", "#9a6700", "#57606a"),
    "dark": ("#58a6ff", "#f0883e", "#3fb950", "#bc8cff", "#f778ba", "#39c5cf", "#e3b341", "#8b949e"),
}

_SHAPES = (
    'text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}'
    ".title{font-size:15px;font-weight:600}.of{font-size:13px;font-weight:400}.value{font-weight:600}"
    ".tick{font-size:11px;text-anchor:middle}.end{text-anchor:end}.day{font-weight:600}.none{text-anchor:middle}"
    ".threshold-label,.total-label{font-size:11px;text-anchor:end}"
    ".line{fill:none;stroke-width:1.75;stroke-linejoin:round;stroke-linecap:round}.band{fill-opacity:.22}"
    ".threshold,.total{stroke-width:1.25;stroke-dasharray:5 4}"
)


def style(theme: str) -> str:
    """The style sheet of a theme; `auto` follows the reader's."""
    if theme == "auto":
        return f"{_SHAPES}{_colours('light')}@media (prefers-color-scheme:dark){{{_colours('dark')}}}"
    return _SHAPES + _colours(theme)


def _colours(theme: str) -> str:
    it = LIGHT if theme == "light" else DARK
    rules = [
        f".card{{fill:{it['card']};stroke:{it['edge']}}}",
        f".title,.value{{fill:{it['text']}}}",
        f".of,.label,.tick,.none,.total-label{{fill:{it['quiet']}}}",
        f".day{{fill:{it['text']}}}",
        f".grid{{stroke:{it['grid']}}}.base,.mark,.total{{stroke:{it['base']}}}",
        f".threshold{{stroke:{it['bound']}}}.threshold-label{{fill:{it['bound']}}}",
    ]
    for place, colour in enumerate(LINES[theme]):
        rules.append(f".l{place}{{stroke:{colour}}}.t{place}{{fill:{colour}}}")
    return "".join([*rules, f".s0{{stop-color:{LINES[theme][0]}}}"])
