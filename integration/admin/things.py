"""Which program stands behind the address of a page or of the API, so that it can be told whose it is."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.admin.permissions import Thing
from integration.errors import NotThere
from integration.language import lazy
from integration.scheduling.models import Plan, Pod, Program


def about_program(session: Session, program_id: int) -> Thing:
    """A program; raises NotThere."""
    if session.scalar(select(Program.id).where(Program.id == program_id)) is None:
        raise NotThere(lazy("program"), program_id)
    return Thing(program_id=program_id)


def about_pod(session: Session, pod_id: int) -> Thing:
    """The program of a pod; raises NotThere."""
    program_id = session.scalar(select(Pod.program_id).where(Pod.id == pod_id))
    if program_id is None:
        raise NotThere(lazy("pod"), pod_id)
    return Thing(program_id=program_id)


def about_plan(session: Session, plan_id: int) -> Thing:
    """The program of a plan; raises NotThere."""
    program_id = session.scalar(select(Plan.program_id).where(Plan.id == plan_id))
    if program_id is None:
        raise NotThere(lazy("plan"), plan_id)
    return Thing(program_id=program_id)
