"""What is asked, per format, and the five answers. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from integration.language import Lazy, lazy
from integration.language import gettext as _

QUESTIONS = {
    "learning pod": lazy("How useful was this session for your work?"),
    "micro-lesson": lazy("How useful was this lesson for your work?"),
    "peer coaching": lazy("How much did this coaching session help you?"),
    "skill-swap": lazy("How much did you take away from this swap?"),
    "problem clinic": lazy("How close did the clinic bring the problem to a solution?"),
    "shadow shift": lazy("How useful was this shift for your own work?"),
    "lunch-and-learn": lazy("How useful was this session for your work?"),
}
OTHERWISE = lazy("How useful was this session?")


@dataclass(frozen=True)
class Face:
    """One of the five answers; the words carry the meaning, the face only decorates them."""

    score: int  # 1 worst .. 5 best
    face: str
    words: Lazy

    @property
    def label(self) -> str:
        return f"{self.score} – {self.words}"


FACES = (
    Face(1, "😞", lazy("Not at all")),
    Face(2, "😕", lazy("A little")),
    Face(3, "😐", lazy("Somewhat")),
    Face(4, "😊", lazy("Much")),
    Face(5, "😃", lazy("Very much")),
)
HIGHEST = FACES[-1].score


def question_for(program_format: str) -> str:
    """The one question about a session of this format."""
    return str(QUESTIONS.get(program_format, OTHERWISE))


def who_sees(small_group: int) -> str:
    """Who can see an answer, in words; ``small_group`` is the program's k (docs: definitions)."""
    return _(
        "Leaders see averages only, and none of fewer than %(least)s answers. "
        "Your name is never shown beside your answer.",
        least=small_group,
    )
