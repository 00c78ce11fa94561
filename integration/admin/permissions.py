"""Who may do what: one table, and the only function that reads it (pure). docs/roles.md shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody is, by the app roles in their sign-in; everybody who signs in is an employee."""

    EMPLOYEE = "employee"
    LEADER = "leader"
    COORDINATOR = "coordinator"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    """Something that can be seen or done, "thing.verb"."""

    HOME_SEE = "home.see"  # the page after sign-in, one's own sessions, signing out
    TODAY_SEE = "today.see"
    INBOX_ANSWER = "inbox.answer"  # marking what somebody wrote as done, or as open again
    PEOPLE_SEE = "people.see"
    PEOPLE_IMPORT = "people.import"
    PERSON_CORRECT = "person.correct"  # another main address: invitations move to it
    PROGRAMS_SEE = "programs.see"
    PROGRAM_CREATE = "program.create"
    PROGRAM_SEE = "program.see"
    PROGRAM_PLAN = "program.plan"
    PROGRAM_APPLY = "program.apply"
    PROGRAM_UNDO = "program.undo"
    POD_SEE = "pod.see"
    ATTENDANCE_ASSIGN = "attendance.assign"  # say who an unmatched record was; ask for a look at the reports
    RECOGNITION_REVOKE = "recognition.revoke"
    POD_REPAIR = "pod.repair"  # compare with Outlook, decide what is right; mails may leave
    ATTENDANCE_IMPORT = "attendance.import"
    ATTENDANCE_CORRECT = "attendance.correct"
    HEALTH_SEE = "health.see"
    HEALTH_CHECK = "health.check"
    MESSAGE_RETRY = "message.retry"
    MESSAGE_DISCARD = "message.discard"
    MAIL_RELEASE = "mail.release"
    MAIL_SETTLE = "mail.settle"
    AUDIT_SEE = "audit.see"
    ACCESS_CHANGE = "access.change"  # which programs a coordinator is limited to, API tokens, receivers of webhooks
    MY_PODS_SEE = "my-pods.see"
    SUMMARY_SEE = "summary.see"
    STYLE_SEE = "style.see"


class Reach(StrEnum):
    """Which things a permission covers."""

    ALL = "all"
    OWN = "own"  # a coordinator's programs, a leader's programs, an employee's own pages


@dataclass(frozen=True)
class Thing:
    """What a page or an action is about; None: nothing of that kind."""

    program_id: int | None = None
    person_id: int | None = None
    program_ids: frozenset[int] | None = None  # of all these programs at once: each has to be within reach


@dataclass(frozen=True)
class Visitor:
    """Somebody who signed in, or a program that shows a token, as of this request."""

    mail: str
    name: str
    roles: frozenset[Role]
    person_id: int | None = None  # their row in the roster, if they are in it
    coordinates: frozenset[int] | None = None  # the programs a coordinator is limited to; None: all
    leads: frozenset[int] = frozenset()  # the programs whose summaries are theirs
    language: str = "en"
    time_zone: str = "UTC"  # IANA
    scopes: frozenset[Permission] | None = None  # what an API token may do at most; None: a person, no limit


EVERYBODY = {Role.EMPLOYEE: Reach.OWN}
COORDINATORS = {Role.COORDINATOR: Reach.OWN, Role.ADMINISTRATOR: Reach.ALL}
OFFICE = {Role.COORDINATOR: Reach.ALL, Role.ADMINISTRATOR: Reach.ALL}
ADMINISTRATORS = {Role.ADMINISTRATOR: Reach.ALL}

PERMISSIONS: Mapping[Permission, Mapping[Role, Reach]] = {
    Permission.HOME_SEE: EVERYBODY,
    Permission.TODAY_SEE: COORDINATORS,
    Permission.INBOX_ANSWER: COORDINATORS,
    Permission.PEOPLE_SEE: OFFICE,
    Permission.PEOPLE_IMPORT: OFFICE,
    Permission.PERSON_CORRECT: COORDINATORS,
    Permission.PROGRAMS_SEE: COORDINATORS,
    Permission.PROGRAM_CREATE: OFFICE,
    Permission.PROGRAM_SEE: COORDINATORS,
    Permission.PROGRAM_PLAN: COORDINATORS,
    Permission.PROGRAM_APPLY: COORDINATORS,
    Permission.PROGRAM_UNDO: COORDINATORS,
    Permission.POD_SEE: COORDINATORS,
    Permission.ATTENDANCE_ASSIGN: COORDINATORS,
    Permission.RECOGNITION_REVOKE: OFFICE,
    Permission.POD_REPAIR: COORDINATORS,
    Permission.ATTENDANCE_IMPORT: COORDINATORS,
    Permission.ATTENDANCE_CORRECT: COORDINATORS,
    Permission.HEALTH_SEE: OFFICE,
    Permission.HEALTH_CHECK: OFFICE,
    Permission.MESSAGE_RETRY: COORDINATORS,
    Permission.MESSAGE_DISCARD: ADMINISTRATORS,
    Permission.MAIL_RELEASE: COORDINATORS,
    Permission.MAIL_SETTLE: COORDINATORS,
    Permission.AUDIT_SEE: ADMINISTRATORS,
    Permission.ACCESS_CHANGE: ADMINISTRATORS,
    Permission.MY_PODS_SEE: EVERYBODY,
    Permission.SUMMARY_SEE: {Role.LEADER: Reach.OWN, **COORDINATORS},
    Permission.STYLE_SEE: EVERYBODY,
}


def may(visitor: Visitor, permission: Permission, thing: Thing | None = None) -> bool:
    """Whether the visitor may do this to the thing; None: to anything at all, as for a list or a link."""
    if visitor.scopes is not None and permission not in visitor.scopes:
        return False
    reaches = PERMISSIONS[permission]
    return any(_covers(visitor, role, reaches[role], thing) for role in visitor.roles if role in reaches)


def programs_within_reach(visitor: Visitor, permission: Permission) -> frozenset[int] | None:
    """The programs this permission covers for the visitor, for lists; None: all of them."""
    reaches = PERMISSIONS[permission]
    found: frozenset[int] = frozenset()
    for role in visitor.roles & reaches.keys():
        own = _own_programs(visitor, role)
        if reaches[role] is Reach.ALL or own is None:
            return None
        found |= own
    return found


def _covers(visitor: Visitor, role: Role, reach: Reach, thing: Thing | None) -> bool:
    if reach is Reach.ALL or thing is None:
        return True
    own = _own_programs(visitor, role)
    if own is None:
        return True
    touched = thing.program_ids if thing.program_id is None else frozenset({thing.program_id})
    if touched is not None:
        return touched <= own
    return thing.person_id is not None and thing.person_id == visitor.person_id


def _own_programs(visitor: Visitor, role: Role) -> frozenset[int] | None:
    """None: every program."""
    if role is Role.COORDINATOR:
        return visitor.coordinates
    return visitor.leads if role is Role.LEADER else frozenset()
