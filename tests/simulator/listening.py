"""A client that subscribed to somebody's mail, and what it can see of the deliveries."""

from datetime import timedelta

import httpx

from .receiver import Receiver


class Listening:
    """A client that listens to the mail of organizer One; Ada writes to it."""

    def __init__(self, simulator, graph: httpx.Client, control: httpx.Client, receiver: Receiver) -> None:
        self.tenant, self.graph, self.control, self.receiver = simulator.tenant, graph, control, receiver
        self.organizer = self.tenant.organizers[0]
        self.ada = next(one for one in self.tenant.directory.people if one.kind == "person")
        answer = graph.post(
            "/subscriptions",
            json={
                "changeType": "created,updated",
                "notificationUrl": f"{receiver.url}/graph",
                "lifecycleNotificationUrl": f"{receiver.url}/lifecycle",
                "resource": f"users/{self.organizer.id}/mailFolders('inbox')/messages",
                "expirationDateTime": (self.tenant.clock.now() + timedelta(days=3)).isoformat(),
                "clientState": "between us",
            },
            headers={"Prefer": 'IdType="ImmutableId"'},
        )
        assert answer.status_code == 201, answer.text
        self.subscription = answer.json()

    def ada_writes(self, mails: int = 1) -> None:
        with self.tenant.lock:
            for _ in range(mails):
                self.tenant.mailboxes.deliver(
                    self.organizer.mail, sender=self.ada, subject="Hello", body_html="", kind="mail"
                )

    def state(self) -> dict:
        return self.control.get("/state").json()

    def wait(self, **length: float) -> None:
        to = self.tenant.clock.now() + timedelta(**length)
        self.control.post("/clock", json={"to": to.isoformat()}).raise_for_status()

    def until_tried(self, discarded: int = 0) -> None:
        """Every attempt that is due now has been made."""
        while self.state()["undelivered_notifications"]:
            pass
        assert self.control.get("/notifications").json()["discarded"] == discarded
