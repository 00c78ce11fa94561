"""The end of an absence is believed only where it can be read in one way."""

from __future__ import annotations

from datetime import date

import pytest

from integration.inbox.absence import last_day_away

TOLD_ON = date(2026, 3, 4)


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("I am away until 12 March 2026.", date(2026, 3, 12)),
        ("Out of office through Thursday, March 12, 2026. Urgent? Call Ada.", date(2026, 3, 12)),
        ("I will be back on Monday, 16 March 2026", date(2026, 3, 15)),
        ("I am back in the office on 2026-03-16", date(2026, 3, 15)),
        ("Returning on March 16th, 2026", date(2026, 3, 15)),
        ("Ich bin vom 2. März 2026 bis 12. März 2026 nicht im Büro.", date(2026, 3, 12)),
        ("Ich bin bis einschließlich Donnerstag, den 12.03.2026 abwesend.", date(2026, 3, 12)),
        ("Bis zum 12. März 2026 bin ich im Urlaub", date(2026, 3, 12)),
        ("Ab dem 16. März 2026 bin ich wieder für Sie da.", date(2026, 3, 15)),
        ("Ich bin wieder im Büro am 16.3.2026", date(2026, 3, 15)),
        ("Until 12 March 2026. Bis 12.03.2026.", date(2026, 3, 12)),
        ("I am away.", None),
        ("Away until 12/03/2026", None),  # March or December?
        ("Away until next Monday", None),
        ("Away until 12 March", None),  # of which year?
        ("Ab dem 16. März 2026 bin ich im Urlaub", None),  # that is when it begins
        ("Away until 12 March 2026, back on 20 March 2026", None),  # which of the two?
        ("Away until 1 March 2026", None),  # past: a mailbox that was forgotten
        ("Away until 12 March 2036", None),
        ("Away until 31 February 2026", None),
        ("I met Ada on 12 March 2026", None),
    ],
)
def test_only_an_end_that_can_be_read_in_one_way_is_believed(text: str, until: date | None) -> None:
    assert last_day_away(text, received_on=TOLD_ON) == until
