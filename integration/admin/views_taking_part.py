"""Taking one person out of a program, or letting one in: what follows is shown before it is done."""

from __future__ import annotations

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.admin.audit import record
from integration.admin.door import needs, this_visitor
from integration.admin.permissions import Permission, Thing
from integration.admin.things import about_program
from integration.errors import Conflict
from integration.formats import listed
from integration.language import gettext as _
from integration.people.models import Person
from integration.people.people import by_id
from integration.scheduling import taking_part
from integration.scheduling.models import Program
from integration.tools import Tools


def about_member(session: Session, program_id: int, person_id: int) -> Thing:
    """The program; who is in it or not is told to nobody else."""
    return about_program(session, program_id)


@needs(Permission.PROGRAM_PLAN, about=about_member)
def ask_to_remove(program_id: int, person_id: int) -> ResponseReturnValue:
    with _tools().database.reading() as session:
        program, person = session.get_one(Program, program_id), by_id(session, person_id)
        following = taking_part.preview_removal(session, program, person, now=_tools().clock.now())
        pods = (
            _(
                "They leave %(pods)s and its future meetings; turns to facilitate go to the others.",
                pods=listed(following.pods),
            )
            if following.pods
            else _("They are in no pod.")
        )
        return render_template(
            "confirm.html",
            title=_("Take %(name)s out of %(program)s?", name=person.name, program=program.name),
            sentence=f"{pods} {_('What they attended and answered stays. Adding them again undoes this.')}",
            mails=_cancellations(f"{person.name} ({person.mail})", following),
            label=_("Take out"),
            danger=True,
            back=url_for("programs.people", program_id=program_id),
        )


def _cancellations(who: str, following: taking_part.Following) -> list[tuple[str, int]]:
    """What they are mailed, and how often: whole series, then single meetings."""
    mails = (
        (_("%(who)s: a cancellation", who=who), following.mails - following.apart),
        (_("%(who)s: cancellations of meetings that were moved or answered on their own", who=who), following.apart),
    )
    return [(words, count) for words, count in mails if count]


@needs(Permission.PROGRAM_PLAN, about=about_member)
def remove(program_id: int, person_id: int) -> ResponseReturnValue:
    with _tools().database.transaction() as session:
        program, person = session.get_one(Program, program_id), by_id(session, person_id)
        done = taking_part.remove_member(session, program, person, now=_tools().clock.now())
        if done.changes:
            before = {"person": person.id, "pods": list(done.pods)}
            _record(session, program_id, before=before, after={"mails": done.mails})
        name = person.name
    if done.changes:
        flash(_("%(name)s no longer takes part.", name=name), "good")
    else:
        flash(_("%(name)s does not take part. Nothing was changed.", name=name), "warning")
    return redirect(url_for("programs.people", program_id=program_id), code=303)


@needs(Permission.PROGRAM_PLAN, about=about_program)
def ask_to_add(program_id: int) -> ResponseReturnValue:
    return _addition_page(program_id, request.args.get("mail", ""))


@needs(Permission.PROGRAM_PLAN, about=about_program)
def add(program_id: int) -> ResponseReturnValue:
    mail, tools = request.form.get("mail", ""), _tools()
    try:
        with tools.database.transaction() as session:
            program, person = session.get_one(Program, program_id), _by_mail(session, mail)
            if person is None:
                return _addition_page(program_id, mail)
            reach = {"now": tools.clock.now(), "may_mail": tools.settings.may_mail(person.mail)}
            done = taking_part.add_member(session, program, person, **reach)
            if done.changes:
                after = {"person": person.id, "pods": list(done.pods), "mails": done.mails}
                _record(session, program_id, after=after)
            name = person.name
    except Conflict:  # they left meanwhile: the page says so
        return _addition_page(program_id, mail)
    if done.changes:
        flash(_("%(name)s takes part.", name=name), "good")
    else:
        flash(_("%(name)s takes part already. Nothing was changed.", name=name), "warning")
    return redirect(url_for("programs.people", program_id=program_id), code=303)


def _addition_page(program_id: int, mail: str) -> ResponseReturnValue:
    tools = _tools()
    with tools.database.reading() as session:
        program, person = session.get_one(Program, program_id), _by_mail(session, mail)
        fault, following = "", None
        if person is not None:
            reach = {"now": tools.clock.now(), "may_mail": tools.settings.may_mail(person.mail)}
            try:
                following = taking_part.preview_addition(session, program, person, **reach)
            except Conflict as conflict:
                fault = str(conflict)
        elif mail.strip():
            fault = _("Nobody here has this address. Import the roster first, or correct it.")
        page = render_template(
            "programs/addition.html",
            program=program,
            person=person,
            mail=mail.strip(),
            following=following,
            apart=taking_part.apart_words(following) if following else "",
            fault=fault,
        )
    return page, 400 if fault else 200


def _by_mail(session: Session, mail: str) -> Person | None:
    return session.scalar(select(Person).where(Person.mail == mail.strip().lower()))


def _record(session: Session, program_id: int, **content: dict[str, object]) -> None:
    record(session, this_visitor(), Permission.PROGRAM_PLAN, thing="program", thing_id=program_id, **content)


def _tools() -> Tools:
    return current_app.extensions["tools"]
