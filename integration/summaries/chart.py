"""The summary's small chart: participation per week, as a picture that reads on light and on dark paper."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from integration.formats import percent
from integration.language import gettext as _

WIDTH, HEIGHT = 512, 150
SCALE = 2  # drawn twice as large as shown: sharp on dense screens
TOP, BOTTOM, LEFT = 24, 26, 8
# Mid-tones on a transparent ground keep 3:1 or more against white and against near black alike.
BAR, LINE, LETTERS = (98, 100, 206, 255), (196, 98, 16, 255), (128, 128, 128, 255)
ON_BAR = (255, 255, 255, 255)
ROOM_FOR_LETTERS = 20  # a bar lower than this carries its figure above itself


@dataclass(frozen=True)
class WeekBar:
    """One week: a label, and its rate as a fraction, or None when it is unknown or must not be shown."""

    label: str
    rate: float | None


def chart_png(weeks: Sequence[WeekBar], *, target: float) -> bytes:
    """A PNG of one bar per week with the target as a line; weeks without a figure carry a question mark."""
    picture = Image.new("RGBA", (WIDTH * SCALE, HEIGHT * SCALE), (0, 0, 0, 0))
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(13 * SCALE)
    slot = (WIDTH - 2 * LEFT) / max(1, len(weeks))
    for place, week in enumerate(weeks):
        middle = LEFT + slot * (place + 0.5)
        _write(pen, font, week.label, at=(middle, HEIGHT - BOTTOM / 2))
        if week.rate is None:
            _write(pen, font, "?", at=(middle, HEIGHT - BOTTOM - 12))
            continue
        half, top = min(22.0, slot * 0.32), _height(week.rate)
        bar = [value * SCALE for value in (middle - half, top, middle + half, HEIGHT - BOTTOM)]
        pen.rounded_rectangle(bar, radius=3 * SCALE, fill=BAR, corners=(True, True, False, False))
        inside = HEIGHT - BOTTOM - top > ROOM_FOR_LETTERS
        foot = HEIGHT - BOTTOM - 11 if inside else top - 10
        _write(pen, font, percent(week.rate), at=(middle, foot), colour=ON_BAR if inside else LETTERS)
    line = [LEFT * SCALE, _height(target) * SCALE, (WIDTH - LEFT) * SCALE, _height(target) * SCALE]
    pen.line(line, fill=LINE, width=2 * SCALE)
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def chart_alt(weeks: Sequence[WeekBar], *, target: float) -> str:
    """The chart in words, for those who do not see it and for the mail's text form."""
    said = ", ".join(f"{week.label} {_('no figure') if week.rate is None else percent(week.rate)}" for week in weeks)
    told = said or _("no week yet")
    return _("Participation by week (target %(target)s): %(weeks)s", target=percent(target), weeks=told)


def _height(rate: float) -> float:
    return HEIGHT - BOTTOM - rate * (HEIGHT - BOTTOM - TOP)


def _write(
    pen: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    words: str,
    *,
    at: tuple[float, float],
    colour: tuple[int, int, int, int] = LETTERS,
) -> None:
    shown = words.replace("\N{NO-BREAK SPACE}", " ")  # which the font does not have, and German percents do
    pen.text((at[0] * SCALE, at[1] * SCALE), shown, fill=colour, font=font, anchor="mm")
