"""The pre-flight check, against a tenant that has not granted everything."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from integration.config import Settings
from integration.doctor import examine
from integration.tools import Tools


@pytest.fixture
def tools(simulator, sqlite_database_url: str, tmp_path: Path) -> Iterator[Tools]:
    environ = {
        **simulator.settings,
        "DATA_DIR": str(tmp_path / "var"),
        "DATABASE_URL": sqlite_database_url,
    }
    made = Tools.from_settings(Settings.from_environment(environ))
    yield made
    made.close()


def failures(tools: Tools) -> dict[str, str]:
    return {str(finding.check): str(finding.remedy) for finding in examine(tools) if not finding.is_well}


def test_a_tenant_that_granted_everything_lacks_only_the_queue(tools: Tools) -> None:
    assert set(failures(tools)) == {"queue"}


def test_a_missing_access_policy_is_named_with_its_remedy(simulator, tools: Tools) -> None:
    organizer = tools.settings.organizer_mailboxes[0]
    httpx.patch(f"{simulator.url}/control/people/{organizer}", json={"access_policy": False}).raise_for_status()
    found = failures(tools)
    assert set(found) == {"queue", f"online meetings of {organizer}", f"attendance reports of {organizer}"}
    assert "Grant-CsApplicationAccessPolicy" in found[f"online meetings of {organizer}"]


def test_a_mailbox_outside_the_pool_is_named(simulator, tools: Tools) -> None:
    employee = next(person.mail for person in simulator.tenant.directory.people if person.kind == "person")
    wrong = Tools.from_settings(replace(tools.settings, organizer_mailboxes=(employee,)))
    assert f"writing calendar of {employee}" in failures(wrong)
    wrong.close()


@pytest.mark.parametrize("kind", ["organizer_mailboxes", "sender_mailboxes"])
def test_an_inbox_that_cannot_be_read_or_tidied_is_named_with_its_remedy(simulator, tools: Tools, kind: str) -> None:
    employee = next(person.mail for person in simulator.tenant.directory.people if person.kind == "person")
    wrong = Tools.from_settings(replace(tools.settings, **{kind: (employee,)}))
    found = failures(wrong)
    wrong.close()
    for check in ("reading mail of", "writing mail of"):
        assert "Test-ServicePrincipalAuthorization" in found[f"{check} {employee}"]


def test_every_mailbox_of_ours_has_its_inbox_proved_once(tools: Tools) -> None:
    organizer, sender = tools.settings.organizer_mailboxes[0], tools.settings.sender_mailboxes[0]
    both = Tools.from_settings(
        replace(tools.settings, organizer_mailboxes=(organizer,), sender_mailboxes=(organizer, sender))
    )
    checks = [str(finding.check) for finding in examine(both) if " mail of " in str(finding.check)]
    both.close()
    assert sorted(checks) == sorted(
        f"{what} mail of {mailbox}" for what in ("reading", "writing", "sending") for mailbox in (organizer, sender)
    )
