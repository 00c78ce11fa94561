"""The one door to Microsoft Graph: ``connect(settings)`` gives a Graph that any thread may use.

    graph = connect(settings)
    event = graph.calendar.create_event("organizer@contoso.com", draft)

Nothing is imported of the SDK and nothing is sent before the first call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from integration.graph.availability import AvailabilityCalls
from integration.graph.batch import send_batch
from integration.graph.calendar import CalendarCalls
from integration.graph.calls import CallCalls
from integration.graph.credential import CredentialSettings, cloud_of, credential_for, roles_in
from integration.graph.directory import DirectoryCalls
from integration.graph.errors import Forbidden
from integration.graph.mail import MailCalls
from integration.graph.meetings import MeetingCalls
from integration.graph.resources import Batched
from integration.graph.subscriptions import SubscriptionCalls
from integration.graph.transport import Request, Transport
from integration.language import lazy

if TYPE_CHECKING:
    from integration.graph.engine import Engine


class GraphSettings(CredentialSettings, Protocol):
    """What Graph needs of the settings."""

    @property
    def graph_timeout_seconds(self) -> float: ...


def connect(settings: GraphSettings, *, redis_url: str | None = None) -> Graph:
    """A Graph for these settings. With ``redis_url`` all workers together keep to four requests per mailbox.

    Raises SettingRefused when GRAPH_BASE_URL is neither Microsoft's nor loopback; an incomplete credential is refused
    at the first call.
    """
    cloud = cloud_of(settings.graph_base_url)

    def make_engine() -> Engine:
        from integration.graph.engine import Engine  # the SDK comes with it, at the first call and not before
        from integration.graph.governor import LocalGovernor
        from integration.graph.shared_governor import RedisGovernor

        governor = RedisGovernor(redis_url) if redis_url else LocalGovernor()
        return Engine(cloud, credential_for(settings), governor, timeout_seconds=settings.graph_timeout_seconds)

    return Graph(Transport(cloud.base_url, make_engine))


class Graph:
    """Microsoft Graph for callers in any thread, also after a fork. Calls raise GraphError (see errors.py)."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.calendar = CalendarCalls(transport)
        self.availability = AvailabilityCalls(transport)
        self.meetings = MeetingCalls(transport)
        self.mail = MailCalls(transport)
        self.directory = DirectoryCalls(transport)
        self.subscriptions = SubscriptionCalls(transport)
        self.calls = CallCalls(transport)

    def requests(self) -> int:
        """How many requests this process has sent; a batch counts as one."""
        return self._transport.sent

    def token_roles(self) -> frozenset[str]:
        """The application permissions in our token, as Entra consented them; those that Exchange grants to single
        mailboxes are not among them. Raises Forbidden or Unavailable with the remedy when no token is given."""
        roles = roles_in(self._transport.token())
        if roles is None:
            raise Forbidden(
                lazy("The access token does not show its roles."),
                remedy=lazy("Check TENANT_ID: tokens for Graph from Entra are readable."),
            )
        return roles

    def batch(self, parts: Sequence[Request]) -> list[Batched]:
        """Several requests in few: see ``calendar.part_to_get``. The answers stand in the parts' order."""
        return send_batch(self._transport, parts)

    def close(self) -> None:
        """End connections and the thread; a later call opens them anew."""
        self._transport.close()
