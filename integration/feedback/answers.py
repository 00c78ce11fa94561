"""Answers to the question after a session."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from integration.errors import Conflict, InputRefused
from integration.feedback.models import FeedbackAnswer, FeedbackRequest
from integration.feedback.questions import HIGHEST
from integration.language import lazy

LONGEST_COMMENT = 2000


def record_answer(
    session: Session, request: FeedbackRequest, *, score: int, comment: str, consent: bool, at: datetime
) -> None:
    """Write an answer down, or put another in its place; the latest counts, the first one's date stays.

    Consent without a comment means nothing and is not kept. Raises InputRefused, and Conflict
    once the request expired.
    """
    if at >= request.expires_at:
        raise Conflict(lazy("This question can no longer be answered."), remedy=lazy("It was open for two weeks."))
    if not 1 <= score <= HIGHEST:
        raise InputRefused(
            lazy("%(score)s is no answer.", score=score), remedy=lazy("Choose 1 to %(most)s.", most=HIGHEST)
        )
    text = comment.strip().replace("\x00", "") or None
    if text and len(text) > LONGEST_COMMENT:
        raise InputRefused(
            lazy("The comment has %(length)s characters.", length=len(text)),
            remedy=lazy("Keep it to %(most)s.", most=LONGEST_COMMENT),
        )
    _write(session, request, score=score, comment=text, consent=consent and text is not None, at=at)
    request.reminder_due_at = None


def _write(
    session: Session, request: FeedbackRequest, *, score: int, comment: str | None, consent: bool, at: datetime
) -> None:
    """One statement: two taps at once must not become two answers, nor an error."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    insert = dialect.insert(FeedbackAnswer).values(
        request_id=request.id, score=score, comment=comment, consent=consent, answered_at=at
    )
    new = insert.excluded
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["request_id"],
            set_={
                "score": new.score,
                "comment": new.comment,
                "consent": new.consent,
                "changed_at": new.answered_at,
            },
        )
    )
    session.expire(request, ["answer"])
