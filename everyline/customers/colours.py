"""A brand's colour: from what was chosen to what the design tokens take, held against what can be read. Pure.

A chosen colour is read as OKLCH (Björn Ottosson, *A perceptual color space for image processing*, 2020). Its hue and chroma are
the brand's; its lightness is put aside, because each place where a colour stands has its own. Where a hue is too light there to
be read, it is darkened until the ratio of WCAG 2.2, section 1.4.3 is met.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

ENOUGH = 4.5  # for text, WCAG 2.2 section 1.4.3
STRONGEST = 0.18  # chroma; beyond it few screens follow
USUAL_HUE, USUAL_CHROMA = 252, 0.16

_HEX = re.compile(r"#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")
_STEP = 0.005  # of lightness
_ON = (0.99, 0.0)  # what stands on a filled button: lightness, chroma
_TINT = (0.955, 0.022)  # the ground that is tinted with the brand's hue, on light pages
_DARK_STRONG, _DARK_TINT = (0.78, 0.11), (0.28, 0.05)  # the same two on dark pages; the tokens fix their chroma


@dataclass(frozen=True, slots=True)
class Shades:
    """What a brand sets in the design tokens: hue in degrees, chroma, and three lightnesses, 0 to 1."""

    hue: int
    chroma: float
    fill: float  # of a button on light pages
    fill_dark: float  # the same on dark pages
    strong: float  # of links and icons on light pages
    ratio: float  # the least contrast anywhere

    @property
    def sheet(self) -> str:
        """The style sheet that sets them."""
        hue, chroma = "var(--brand-hue)", "var(--brand-chroma)"
        return (
            f"@layer tokens {{ :root {{ --brand-hue: {self.hue}; --brand-chroma: {self.chroma:g};"
            f" --brand-fill: light-dark(oklch({self.fill:g} {chroma} {hue}), oklch({self.fill_dark:g} {chroma} {hue}));"
            f" --brand-strong: light-dark(oklch({self.strong:g} {chroma} {hue}), oklch({_DARK_STRONG[0]} {_DARK_STRONG[1]} {hue})); }} }}\n"
        )

    @property
    def rgb(self) -> tuple[int, int, int]:
        """The fill on light pages as red, green and blue, 0 to 255."""
        red, green, blue = _linear(self.fill, self.chroma, self.hue)
        return round(255 * _companded(red)), round(255 * _companded(green)), round(255 * _companded(blue))

    @property
    def hex(self) -> str:
        """The same as ``#rrggbb``."""
        return "#" + "".join(f"{part:02x}" for part in self.rgb)


def read(chosen: str) -> tuple[int, float]:
    """Hue and chroma of ``#rrggbb``. ValueError when it is no colour."""
    match = _HEX.fullmatch(chosen.strip())
    if match is None:
        raise ValueError("a colour looks like #0061b8")
    red, green, blue = (int(part, 16) / 255 for part in match.groups())
    chroma, hue = _chroma_and_hue(red, green, blue)
    return round(hue) % 360, round(min(chroma, STRONGEST), 3)


def shades(hue: int, chroma: float) -> Shades:
    """The lightnesses at which this hue can be read in each place."""
    fill = _readable(0.5, chroma, hue, _ON)
    fill_dark = _readable(0.56, chroma, hue, _ON)
    strong = _readable(0.45, chroma, hue, _TINT)
    least = min(
        _ratio((fill, chroma), _ON, hue),
        _ratio((fill_dark, chroma), _ON, hue),
        _ratio((strong, chroma), _TINT, hue),
        _ratio(_DARK_STRONG, _DARK_TINT, hue),
    )
    return Shades(hue, chroma, fill, fill_dark, strong, round(least, 2))


def _readable(lightness: float, chroma: float, hue: float, ground: tuple[float, float]) -> float:
    while _ratio((lightness, chroma), ground, hue) < ENOUGH + 0.05:  # browsers round colours
        lightness -= _STEP
    return round(lightness, 3)


def _ratio(one: tuple[float, float], other: tuple[float, float], hue: float) -> float:
    first, second = luminance(*one, hue), luminance(*other, hue)
    return (max(first, second) + 0.05) / (min(first, second) + 0.05)


def luminance(lightness: float, chroma: float, hue: float) -> float:
    """Relative luminance as WCAG 2.2 has it, of the nearest colour that a screen shows."""
    red, green, blue = _linear(lightness, chroma, hue)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _chroma_and_hue(*parts: float) -> tuple[float, float]:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
    return math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360


def _linear(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    """Linear red, green and blue, each cut to what a screen shows."""
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        _cut(4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short),
        _cut(-1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short),
        _cut(-0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short),
    )


def _cut(part: float) -> float:
    return min(max(part, 0.0), 1.0)


def _companded(part: float) -> float:
    return float(12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055)
