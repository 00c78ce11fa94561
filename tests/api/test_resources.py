from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import func, select

from integration import outbox
from integration.admin.models import AuditEntry
from integration.outbox import Message, State, Task
from integration.people.models import Participant, Person
from integration.scheduling.models import Plan, PodMember, Program
from integration.scheduling.plan import make_plan
from integration.scheduling.programs import ProgramDraft, add_members, create_program
from tests.attendance.build import build_person, build_series

ROSTER = "name,mail,teaches\nAda Lovelace,ada@pods.example,python\nGrace,grace@pods.example,\nNobody,no-address,\n"
PROGRAM = {"name": "Onboarding", "outcome": "o", "metric": "m", "baseline": "b", "starts_on": "2026-03-02"}


def imported(script):
    return script.post("/people/import", data=ROSTER.encode(), content_type="text/csv")


def test_a_roster_is_imported_and_its_wrong_line_is_named(api):
    script = api.script()

    answer = imported(script).get_json()

    assert (answer["created"], answer["updated"], answer["unchanged"]) == (2, 0, 0)
    assert answer["refused"] == [{"line": 4, "reason": "has the mail 'no-address', which is no address"}]
    assert imported(script).get_json()["unchanged"] == 2
    with api.site.tools.database.reading() as session:
        assert session.scalar(select(AuditEntry.actor).limit(1)) == "token:nightly import"


def test_people_come_page_by_page_until_there_is_no_next_link(api):
    script = api.script()
    with api.site.tools.database.transaction() as session:
        for number in range(5):
            build_person(session, f"Ada{number}")

    names, path = [], "/people?limit=2"
    while path:
        answer = script.get(path)
        names += [each["name"] for each in answer.get_json()["items"]]
        link = answer.headers.get("Link", "")
        assert bool(link) == (answer.get_json()["next"] is not None)
        path = link.removeprefix("</api/v1").partition(">")[0]

    assert names == ["Ada0", "Ada1", "Ada2", "Ada3", "Ada4"]
    assert script.get("/people?cursor=abc").status_code == 400
    assert script.get("/people?limit=201").status_code == 400
    assert [each["name"] for each in script.get("/people?q=ADA3").get_json()["items"]] == ["Ada3"]


def test_somebody_who_left_is_shown_as_such_and_somebody_erased_has_neither_name_nor_address(api):
    with api.site.tools.database.transaction() as session:
        ada, alan, mallory = (build_person(session, name) for name in ("Ada", "Alan", "Mallory"))
        pod = build_series(session, [ada, alan, mallory]).pod
        pod.members = [
            PodMember(participant=each.participant, joined_at=datetime(2026, 3, 1, tzinfo=UTC))
            for each in (ada, alan, mallory)
        ]
        alan.left_at = datetime(2026, 3, 5, tzinfo=UTC)
        session.flush()
        pod_id = pod.id
        session.delete(mallory)

    answer = api.script().get(f"/pods/{pod_id}")

    members = answer.get_json()["members"]
    assert [each["state"] for each in members] == ["here", "left", "erased"]
    assert members[2] == {"id": None, "name": "a former colleague", "mail": None, "state": "erased"}
    assert b"mallory" not in answer.data.lower()
    (series,) = answer.get_json()["series"]
    assert [each["state"] for each in series["occurrences"]] == ["unknown"] * 3
    assert series["occurrences"][0]["invited"] == 3
    assert series["occurrences"][0]["attended"] is None


def test_a_program_is_made_planned_applied_and_undone_by_a_script(api):
    script = api.script()
    with api.site.tools.database.transaction() as session:
        for name in ("Ada", "Grace", "Alan", "Linus"):
            build_person(session, name)

    made = script.post("/programs", json={**PROGRAM, "members": ["ada@pods.example", "grace@pods.example"]})
    assert (made.status_code, made.get_json()["members"]) == (201, 2)
    assert script.get(made.headers["Location"].removeprefix("/api/v1")).get_json() == made.get_json()

    asked = script.post(f"/programs/{made.get_json()['id']}/plans")
    assert (asked.status_code, asked.get_json()["state"]) == (202, "drafting")
    assert script.get(asked.headers["Location"].removeprefix("/api/v1")).get_json()["pods"] == []
    assert script.post(f"/plans/{asked.get_json()['id']}/apply").status_code == 409
    plan_id = drafted_plan(api)

    applied = [script.post(f"/plans/{plan_id}/apply").get_json() for _ in range(2)]
    assert [each["state"] for each in applied] == ["applied", "applied"]
    undone = script.post(f"/plans/{plan_id}/undo").get_json()
    assert undone["state"] == "undone"
    assert script.post(f"/plans/{plan_id}/apply").status_code == 409
    with api.site.tools.database.reading() as session:
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["program.create", "program.plan", "program.apply", "program.undo"]


def drafted_plan(api) -> int:
    """A plan as a worker leaves it, for a program that begins later."""
    now = api.site.tools.clock.now()
    with api.site.tools.database.transaction() as session:
        people = session.scalars(select(Person)).all()
        program = create_program(session, ProgramDraft("Later", "o", "m", "b", now.date()), now=now)
        add_members(session, program, people)
        return make_plan(session, program, {}, now=now, organizers=["learning@pods.example"]).id


def test_a_plan_does_not_name_somebody_who_was_erased_since(api):
    with api.site.tools.database.transaction() as session:
        for name in ("Ada", "Mallory"):
            build_person(session, name)
    plan_id = drafted_plan(api)
    with api.site.tools.database.transaction() as session:
        session.delete(session.scalars(select(Person).where(Person.name == "Mallory")).one())

    answer = api.script().get(f"/plans/{plan_id}")

    assert sorted(each["state"] for each in answer.get_json()["pods"][0]["members"]) == ["erased", "here"]
    assert b"mallory" not in answer.data.lower()


def test_a_program_with_a_member_whom_nobody_knows_is_refused_by_name(api):
    script = api.script()

    answer = script.post("/programs", json={**PROGRAM, "members": ["linus@pods.example"]})

    assert answer.status_code == 400
    assert "linus@pods.example" in answer.get_json()["detail"]
    assert script.get("/programs").get_json()["items"] == []
    assert script.post("/programs", json={**PROGRAM, "weeks": 0}).status_code == 400
    assert script.post("/programs", json={**PROGRAM, "mood": "good"}).status_code == 400


def test_figures_of_a_program_in_which_nothing_is_known_are_null(api):
    with api.site.tools.database.transaction() as session:
        ada = build_person(session, "Ada")
        program_id = build_series(session, [ada]).pod.program_id

    figures = api.script().get(f"/programs/{program_id}/figures").get_json()

    assert figures["participation"]["low"] is None
    assert figures["participation"]["unknown_occurrences"] == 3
    assert figures["satisfaction"]["value"] is None
    assert figures["time_to_competency"]["verdict"] == "undecided"
    assert [each["name"] for each in figures["pods"]] == ["Pod 1"]


def test_a_parked_message_is_retried_or_given_up_with_a_reason(api):
    script = api.script()
    with api.site.tools.database.transaction() as session:
        for subject in (1, 2):
            outbox.add(session, Task.SERIES_PUSH, subject)
        for message in session.scalars(select(Message)):
            message.state, message.last_error = State.PARKED, "A permission is missing."

    parked = script.get("/messages?state=parked").get_json()["items"]
    assert [each["subject"] for each in parked] == ["1", "2"]
    retried = script.post(f"/messages/{parked[0]['id']}/retry")
    assert (retried.status_code, retried.get_json()["state"]) == (202, "waiting")
    assert script.post(f"/messages/{parked[1]['id']}/discard", json={"reason": " "}).status_code == 400
    discarded = script.post(f"/messages/{parked[1]['id']}/discard", json={"reason": "The pod is gone."})
    assert discarded.get_json()["last_error"] == "given up: The pod is gone."
    assert script.get("/messages").get_json()["items"] == []


def test_a_list_of_many_programs_asks_the_tables_a_few_times(api):
    with api.site.tools.database.transaction() as session:
        for number in range(30):
            session.add(
                Program(
                    name=f"P{number}",
                    outcome="",
                    metric="",
                    baseline="",
                    starts_on=datetime(2026, 3, 2, tzinfo=UTC).date(),
                    created_at=datetime(2026, 3, 1, tzinfo=UTC),
                )
            )
        session.add(Participant())
        session.flush()
        assert session.scalar(select(func.count()).select_from(Plan)) == 0

    assert len(api.script().get("/programs?limit=200").get_json()["items"]) == 30


def test_an_address_is_corrected_once_and_not_over_one_that_was_changed_meanwhile(api):
    script = api.script()
    with api.site.tools.database.transaction() as session:
        path = f"/people/{build_person(session, 'Ada').id}/address"
    right = {"mail": "Ada.Lovelace@pods.example", "before": "ada@pods.example"}

    answers = [script.post(path, json=right) for _ in range(2)]
    late = script.post(path, json={"mail": "ada@new.example", "before": "ada@pods.example"})

    assert [(each.status_code, each.get_json()["mail"]) for each in answers] == [
        (200, "ada.lovelace@pods.example")
    ] * 2
    assert late.status_code == 409
    assert script.post(path, json={"mail": "no-address", "before": "x"}).status_code in (400, 409, 422)
    with api.site.tools.database.reading() as session:
        actions = session.scalars(select(AuditEntry.action)).all()
    assert actions.count("person.correct") == 1
