"""What is done with Graph around series and occurrences: the table of it.

The steps stand in files whose names begin with ``jobs_``, one per direction; like this file they see both Graph and
the domain, and nobody else here does.
"""

from __future__ import annotations

from integration.duties import Duty
from integration.scheduling.jobs_freeze import FREEZE_DUTY, freeze_occurrence
from integration.scheduling.jobs_guide import GUIDE_DUTY, send_guide
from integration.scheduling.jobs_plan import draft_plan, fill_plan
from integration.scheduling.jobs_pull import pull_series
from integration.scheduling.jobs_push import cancel_series, push_series
from integration.scheduling.jobs_repair import repair_series

__all__ = [
    "DUTIES",
    "cancel_series",
    "draft_plan",
    "fill_plan",
    "freeze_occurrence",
    "pull_series",
    "push_series",
    "repair_series",
    "send_guide",
]

DUTIES: tuple[Duty, ...] = (GUIDE_DUTY, FREEZE_DUTY)
