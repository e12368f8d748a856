"""Durable work on notices: who is to be told is told, whatever is killed in between."""

from uuid import UUID

from booking_service.clients.people import PeopleClient
from booking_service.repositories.transaction import Begin
from booking_service.usecases.tell_buyers import send_notices
from service_kit.durable import step
from service_kit.mail import Post


class NoticeWorkflows:
    """Sends mails to buyers; addresses are asked for then, and stored nowhere."""

    def __init__(self, begin: Begin, people: PeopleClient, post: Post) -> None:
        self._begin = begin
        self._people = people
        self._post = post

    def send_notices(self, batch_id: str) -> None:
        """Send a batch of notices; one step, as it goes on where it was interrupted."""
        step("send_notices", self._send, batch_id)

    def _send(self, batch_id: str) -> None:
        send_notices(self._begin, self._people, self._post, batch_id=UUID(batch_id))
