"""Each refusal becomes the error that says what a person can do."""

from __future__ import annotations

import socket

import pytest

from integration.graph.client import Graph, connect
from integration.graph.errors import Forbidden, GraphError, NotFound, Rejected, SyncLost, Throttled, Unavailable
from tests.graph.scripted import TOKEN, Reply, ScriptedGraph, Settings, sample

ADA = "ada@contoso.com"


def refusal(code: str, message: str = "") -> dict[str, object]:
    return {"error": {"code": code, "message": message, "innerError": {"request-id": "r-7"}}}


@pytest.mark.parametrize(
    ("status", "code", "kind", "remedy"),
    [
        (400, "RequestBodyRead", Rejected, "Repeating it will not help"),
        (400, "TimeZoneNotSupportedException", Rejected, "time zone"),
        (401, "InvalidAuthenticationToken", Forbidden, "TENANT_ID"),
        (403, "ErrorAccessDenied", Forbidden, "RBAC for Applications"),
        (403, "Authorization_RequestDenied", Forbidden, "Calendars.ReadBasic"),
        (404, "ErrorItemNotFound", NotFound, "deleted or moved"),
        (404, "MailboxNotEnabledForRESTAPI", Forbidden, "licence"),
        (409, "ErrorIrresolvableConflict", Rejected, ""),
        (410, "Gone", NotFound, ""),
        (412, "ErrorIrresolvableConflict", Rejected, "read it again"),
        (500, "InternalServerError", Unavailable, "tried again"),
        (503, "ServiceUnavailable", Unavailable, "tried again"),
    ],
)
def test_a_refusal_is_named_and_has_a_remedy(
    scripted: ScriptedGraph, graph: Graph, status: int, code: str, kind: type[GraphError], remedy: str
) -> None:
    scripted.on("GET", "/users/.*", Reply(status, refusal(code)))
    with pytest.raises(GraphError) as caught:
        graph.calendar.get_event(ADA, "e-1")
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.code, error.request_id) == (status, code, "r-1")
    assert remedy in error.remedy
    assert error.passes_by_itself == (kind is Unavailable)


def test_a_missing_access_policy_comes_with_the_command_that_grants_it(scripted: ScriptedGraph, graph: Graph) -> None:
    scripted.on("GET", "/users/o/.*", Reply(403, sample("error-no-application-access-policy.json")))
    with pytest.raises(Forbidden) as caught:
        graph.meetings.reports("o", "m")
    assert "Grant-CsApplicationAccessPolicy" in caught.value.remedy


def test_the_documented_throttling_is_waited_for_and_then_told(scripted: ScriptedGraph, graph: Graph) -> None:
    scripted.on("GET", "/users/.*", Reply(429, sample("error-throttled-429.json"), {"Retry-After": "120"}))
    with pytest.raises(Throttled) as caught:
        graph.calendar.get_event(ADA, "e-1")
    assert caught.value.retry_after == 120
    assert len(scripted.asked) == 1  # two minutes are not slept away in a worker


@pytest.mark.parametrize(("status", "code"), [(410, "resyncRequired"), (400, "SyncStateNotFound"), (410, "Gone")])
def test_a_forgotten_delta_link_asks_for_a_full_round(
    scripted: ScriptedGraph, graph: Graph, status: int, code: str
) -> None:
    scripted.on("GET", ".*/delta", Reply(status, refusal(code)))
    with pytest.raises(SyncLost):
        graph.calendar.delta_from(f"{scripted.base_url}/users/ada/calendarView/delta?$deltatoken=x")


def test_no_error_repeats_addresses_tokens_or_bodies(scripted: ScriptedGraph, graph: Graph) -> None:
    words = f"User {ADA} sent Bearer {TOKEN} and <p>a secret</p> to https://contoso.com/x"
    scripted.on("GET", "/users/.*", Reply(400, refusal("BadRequest", words)))
    with pytest.raises(Rejected) as caught:
        graph.calendar.get_event(ADA, "AAMkAGI1AAAt9AHjAAA=")
    told = f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
    for private in (ADA, TOKEN, "a secret", "contoso.com", "AAMkAGI1"):
        assert private not in told


def test_a_page_of_a_proxy_is_no_answer_of_graph(scripted: ScriptedGraph, graph: Graph) -> None:
    scripted.on("GET", "/users/.*", Reply(200, b"<html>Please sign in to the network</html>"))
    with pytest.raises(Unavailable, match="not JSON"):
        graph.calendar.get_event(ADA, "e-1")


def test_an_unreachable_graph_is_unavailable() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound, never listening
        graph = connect(Settings(f"http://127.0.0.1:{reserved.getsockname()[1]}/v1.0"))
        with pytest.raises(Unavailable, match="ConnectError"):
            graph.calendar.cancel_event(ADA, "e-1")
        graph.close()


def test_a_refused_sign_in_says_which_setting_is_wrong(scripted: ScriptedGraph) -> None:
    refused = {
        "error": "invalid_client",
        "error_description": "AADSTS7000222: The provided client secret keys are expired.",
    }
    lost = ScriptedGraph()
    lost.answer = lambda asked: Reply(401, refused)
    graph = connect(lost.settings)
    with pytest.raises(Forbidden) as caught:
        graph.token_roles()
    assert caught.value.code == "AADSTS7000222"
    assert "CLIENT_SECRET" in caught.value.remedy
    graph.close()
    lost.close()
