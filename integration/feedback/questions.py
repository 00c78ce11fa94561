"""What is asked, per format, and the five answers. Pure."""

from __future__ import annotations

from dataclasses import dataclass

QUESTIONS = {
    "learning pod": "How useful was this session for your work?",
    "micro-lesson": "How useful was this lesson for your work?",
    "peer coaching": "How much did this coaching session help you?",
    "skill-swap": "How much did you take away from this swap?",
    "problem clinic": "How close did the clinic bring the problem to a solution?",
    "shadow shift": "How useful was this shift for your own work?",
    "lunch-and-learn": "How useful was this session for your work?",
}
OTHERWISE = "How useful was this session?"


@dataclass(frozen=True)
class Face:
    """One of the five answers; the words carry the meaning, the face only decorates them."""

    score: int  # 1 worst .. 5 best
    face: str
    words: str

    @property
    def label(self) -> str:
        return f"{self.score} – {self.words}"


FACES = (
    Face(1, "😞", "Not at all"),
    Face(2, "😕", "A little"),
    Face(3, "😐", "Somewhat"),
    Face(4, "😊", "Much"),
    Face(5, "😃", "Very much"),
)
HIGHEST = FACES[-1].score


def question_for(program_format: str) -> str:
    """The one question about a session of this format."""
    return QUESTIONS.get(program_format, OTHERWISE)


def who_sees(small_group: int) -> str:
    """Who can see an answer, in words; ``small_group`` is the program's k (docs: definitions)."""
    return (
        f"Leaders see averages only, and none of fewer than {small_group} answers. "
        "Your name is never shown beside your answer."
    )
