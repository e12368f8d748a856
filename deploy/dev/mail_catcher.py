"""A mail server for tests: it speaks SMTP, keeps what it takes, and refuses what it is told to."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from devstack.ports import LOOPBACK, free_ports


@dataclass(slots=True)
class MailCatcher:
    """What was taken so far, and how the next recipients and mails are answered."""

    port: int
    taken: list[EmailMessage] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)  # to RCPT, by address
    _unanswered: dict[str, threading.Event] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address under which mails are sent here."""
        return f"smtp://{LOOPBACK}:{self.port}"

    def to(self, address: str) -> list[EmailMessage]:
        """Return the mails that an address was sent."""
        return [each for each in list(self.taken) if each["To"] == address]

    async def handle_RCPT(  # noqa: N802 so the library calls it
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Answer for a recipient."""
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    @contextmanager
    def holding_back_its_answer_to(self, address: str) -> Iterator[threading.Event]:
        """Take a mail to an address without saying so inside the block; the event says so."""
        self._unanswered[address] = threading.Event()
        try:
            yield self._unanswered[address]
        finally:
            del self._unanswered[address]

    async def handle_DATA(  # noqa: N802 so the library calls it
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Take a mail."""
        content = envelope.content
        message = message_from_bytes(content if isinstance(content, bytes) else b"", policy=default)
        self.taken.append(message)
        while taken := self._unanswered.get(message["To"]):
            taken.set()
            await asyncio.sleep(0.05)
        return "250 OK"


@contextmanager
def mail_catcher(**options: Any) -> Iterator[MailCatcher]:
    """Run a mail server in this process while the block lasts; `options` are its library's."""
    port = int(free_ports(["PORT"])["PORT"])
    catcher = MailCatcher(port)
    controller = Controller(catcher, hostname=LOOPBACK, port=port, **options)
    controller.start()
    try:
        yield catcher
    finally:
        controller.stop()
