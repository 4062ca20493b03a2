"""The accent colour of a page, made readable on what it is written with and on."""

INK, PAPER = "#14181f", "#ffffff"
LIGHT_GROUND, DARK_GROUND = "#f6f7f9", "#161b22"
READABLE = 4.5
"""The contrast that text needs (WCAG 2.2, 1.4.3)."""


def sheet(accent: str) -> str:
    """The style sheet of an accent colour `#rrggbb`: as it is behind text, lighter or darker where it is text."""
    on = PAPER if _contrast(accent, PAPER) >= _contrast(accent, INK) else INK
    if _contrast(accent, on) < READABLE:  # neither can be read on it
        accent, on = _readable(accent, PAPER), PAPER
    light, dark = _readable(accent, LIGHT_GROUND), _readable(accent, DARK_GROUND)
    shown = f"--accent:{accent};--on-accent:{on}"
    return (
        f":root{{{shown};--link:{light}}}"
        f"@media screen{{:root[data-theme=dark]{{{shown};--link:{dark}}}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root[data-theme=auto]{{{shown};--link:{dark}}}}}"
    )


def _readable(color: str, ground: str) -> str:
    """The colour, mixed with black or white as far as it takes to be read on a ground."""
    towards = 0 if _luminance(ground) > 0.5 else 255
    for step in range(21):
        mixed = [round(part + (towards - part) * step / 20) for part in _parts(color)]
        found = "#" + "".join(f"{part:02x}" for part in mixed)
        if _contrast(found, ground) >= READABLE:
            return found
    raise AssertionError("black and white can be read on any such ground")


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
              for part in (each / 255 for each in _parts(color))]  # fmt: skip
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _parts(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
