from __future__ import annotations

from datetime import datetime

import pytest

from integration.scheduling.drafting import PodDraft
from integration.scheduling.models import Program
from integration.scheduling.planned import content
from integration.scheduling.slots import Slot

TUESDAY = Slot(datetime.fromisoformat("2026-03-10T10:30"), "Europe/Zurich", missing={}, conflicts=0)


def draft(slot: Slot | None = TUESDAY) -> PodDraft:
    return PodDraft("Pod 01", "Europe/Zurich", (), slot, (), None, (), ())


def seconds(drafts: list[PodDraft], organizers: list[str], *, pace: int) -> int:
    shown = content(
        Program(),
        drafts,
        people=[],
        organizers=organizers,
        may_mail=lambda _mail: True,
        mails_per_minute=pace,
    )
    return shown["seconds"]


@pytest.mark.parametrize(
    ("organizers", "pace", "expected"),
    [
        (["ada"] * 60, 30, 121),  # two minutes of mail, and a second to begin
        (["ada", "grace"] * 30, 30, 61),  # side by side
        (["ada"] * 40 + ["grace"] * 20, 30, 81),  # the busier one decides
        (["ada"] * 60, 10_000, 53),  # no pace to speak of: 60 series, 7 requests each, four at once, half a second
    ],
)
def test_the_busiest_organizer_decides_by_its_requests_or_by_the_pace_of_its_mail(organizers, pace, expected):
    assert seconds([draft()] * len(organizers), organizers, pace=pace) == expected


def test_a_pod_without_a_slot_takes_no_time():
    assert seconds([draft(slot=None)] * 60, ["ada"] * 60, pace=30) == 1
