"""Mail to people, written from a service's templates: by SMTP, into a folder, or only noted.

A mail is sent at least once. Whoever sends one again names the same event, of which its Message-ID
is made, so that it is known for the same mail. No address is logged, nor stored on the way.
"""

import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

import structlog
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from prometheus_client import Counter

from service_kit.peers import PeerUnavailable
from service_kit.settings import EnvironmentReader

log = structlog.get_logger(__name__)

SERVER = "mail server"
TIMEOUT_SECONDS = 5.0  # for each answer
PERMANENT = 500  # replies from here on: trying again changes nothing
NOWHERE = "log:"
DEFAULT_SENDER = "Comedy Connect <no-reply@localhost>"
PORTS = {"smtp": 587, "smtps": 465}

MAILS = Counter(
    "mails_total",
    "Mails, by what they tell and what became of them: sent, noted only, refused or failed.",
    ["kind", "outcome"],
)


class MailRefused(Exception):
    """This mail will never be taken, as there is no such mailbox."""


class MailDeferred(PeerUnavailable):
    """The server does not take this mail now; it may well take others."""


class Way(Protocol):
    """How mails leave this process."""

    outcome: str

    def deliver(self, message: EmailMessage) -> None:
        """Hand a mail over.

        Raises:
            MailRefused: it is never taken.
            PeerUnavailable: it is not taken now, or may have been.
        """


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Where mails go and from whom they are."""

    url: str
    sender: str
    password: str
    needs_tls: bool

    @classmethod
    def read(cls, env: EnvironmentReader, *, development: bool) -> "MailSettings":
        """Read the environment; what is wrong is noted in `env`.

        A folder, and a server without TLS, are for development only: mails name people.
        """
        url = env.text("MAIL_URL", NOWHERE)
        sender = env.text("MAIL_FROM", "")
        password = env.text("SMTP_PASSWORD", "")
        parts = _parts(url)
        if parts is None:
            env.problems.append("MAIL_URL must be log:, smtp://host, smtps://host or file:///path")
        elif parts.scheme in PORTS:
            if parts.username and not password:
                env.problems.append("SMTP_PASSWORD is not set, and MAIL_URL has a user")
            if not sender:
                env.problems.append("MAIL_FROM is not set")
        elif parts.scheme == "file" and not development:
            env.problems.append("MAIL_URL must not be a folder outside of development")
        if sender and not _is_sender(sender):
            env.problems.append("MAIL_FROM must be an address such as Name <name@example.org>")
        return cls(url, sender or DEFAULT_SENDER, password, needs_tls=not development)


class Post:
    """Writes mails from the templates of one service, and sends them. Thread-safe.

    A template `mail/<kind>.txt` begins with a line that is the subject; `mail/<kind>.html` says the
    same in HTML, within `layout.html`. What is put into them has no line breaks left, and in HTML
    no markup.
    """

    def __init__(self, package: str, settings: MailSettings) -> None:
        self._templates = Environment(
            loader=ChoiceLoader(
                [PackageLoader(each, "templates/mail") for each in (package, "service_kit")]
            ),
            autoescape=select_autoescape(["html"], default=False),
            undefined=StrictUndefined,
            finalize=_on_one_line,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._sender = settings.sender
        self._domain = settings.sender.rpartition("@")[2].rstrip(">")
        self._way = way_of(settings)

    def send(self, kind: str, *, event: str, to: str, **facts: Any) -> None:
        """Send the mail that tells a person of an event, named by an id that is nobody's.

        Raises:
            MailRefused: this address takes no mail from us.
            MailDeferred: not now, but there is no reason not to send others.
            PeerUnavailable: the mail server cannot be used at the moment.
        """
        subject, _, text = self._templates.get_template(f"{kind}.txt").render(facts).partition("\n")
        html = self._templates.get_template(f"{kind}.html").render(facts)
        try:
            message = self._message(event, to, subject)
            message.set_content(text.strip() + "\n")
            message.add_alternative(html, subtype="html")
            self._way.deliver(message)
        except MailRefused as refused:
            self._note(kind, "refused", event, reason=str(refused))
            raise
        except PeerUnavailable as away:
            self._note(kind, "failed", event, reason=str(away))
            raise
        self._note(kind, self._way.outcome, event)

    def _message(self, event: str, to: str, subject: str) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = self._sender
        message["To"] = _address(to)
        message["Subject"] = subject
        message["Date"] = datetime.now(UTC)
        message["Message-ID"] = f"<{event}@{self._domain}>"
        message["Auto-Submitted"] = "auto-generated"  # so that no absent person's program answers
        return message

    def _note(self, kind: str, outcome: str, event: str, *, reason: str | None = None) -> None:
        MAILS.labels(kind, outcome).inc()
        log.info("mail", kind=kind, outcome=outcome, about=event, reason=reason)


def way_of(settings: MailSettings) -> Way:
    """Return the way that settings ask for."""
    parts = urlsplit(settings.url)
    if parts.scheme == "file":
        return _Folder(Path(unquote(parts.path)))
    if parts.scheme in PORTS:
        return _Smtp(parts, settings.password, needs_tls=settings.needs_tls)
    return _Nowhere()


class _Nowhere:
    """No mail is sent: that there was one is in the log."""

    outcome = "noted"

    def deliver(self, message: EmailMessage) -> None:
        """Do nothing."""


class _Folder:
    """A file for each mail, named by what it tells of: the same one again replaces it."""

    outcome = "sent"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def deliver(self, message: EmailMessage) -> None:
        name = str(message["Message-ID"]).strip("<>").partition("@")[0]
        draft = self._folder / f".{name}.new"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.write_bytes(message.as_bytes())
            draft.replace(self._folder / f"{name}.eml")
        except OSError as error:
            raise PeerUnavailable.of(SERVER, f"no file: {type(error).__name__}") from error


class _Smtp:
    """A mail server, over a connection for each mail."""

    outcome = "sent"

    def __init__(self, url: SplitResult, password: str, *, needs_tls: bool) -> None:
        self._host = url.hostname or ""
        self._port = url.port or PORTS[url.scheme]
        self._user = unquote(url.username or "")
        self._password = password
        self._needs_tls = needs_tls
        self._connect: Callable[[], smtplib.SMTP] = (
            self._connect_with_tls if url.scheme == "smtps" else self._connect_and_start_tls
        )

    def deliver(self, message: EmailMessage) -> None:
        try:
            with self._session() as server:
                _hand_over(server, message)
        except (OSError, smtplib.SMTPException) as error:
            raise _away(error) from error

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        server = self._connect()
        try:
            if self._user:
                server.login(self._user, self._password)
            yield server
            with suppress(smtplib.SMTPException):  # the mail is taken, however it says goodbye
                server.quit()
        finally:
            server.close()

    def _connect_with_tls(self) -> smtplib.SMTP:
        return smtplib.SMTP_SSL(
            self._host,
            self._port,
            local_hostname="localhost",
            timeout=TIMEOUT_SECONDS,
            context=ssl.create_default_context(),
        )

    def _connect_and_start_tls(self) -> smtplib.SMTP:
        server = smtplib.SMTP(
            self._host, self._port, local_hostname="localhost", timeout=TIMEOUT_SECONDS
        )
        try:
            server.ehlo_or_helo_if_needed()
            if self._needs_tls or server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
        return server


def _hand_over(server: smtplib.SMTP, message: EmailMessage) -> None:
    try:
        server.send_message(message)
    except smtplib.SMTPRecipientsRefused as refused:
        raise _not_taken(min(code for code, _ in refused.recipients.values())) from refused
    except smtplib.SMTPDataError as refused:
        raise _not_taken(refused.smtp_code) from refused
    except smtplib.SMTPNotSupportedError as refused:
        raise MailRefused("the mail server takes no such address") from refused


def _not_taken(code: int) -> Exception:
    """Return what a reply about one mail means; its text may name the recipient."""
    if code >= PERMANENT:
        return MailRefused(f"the mail server answered {code}")
    return MailDeferred.of(SERVER, f"answered {code}")


def _away(error: Exception) -> PeerUnavailable:
    code = getattr(error, "smtp_code", None)
    return PeerUnavailable.of(SERVER, f"answered {code}" if code else type(error).__name__)


def _address(email: str) -> Address:
    try:
        return Address(addr_spec=email)
    except (MessageError, ValueError, IndexError) as error:
        raise MailRefused("not an address") from error


def _is_sender(text: str) -> bool:
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = text
    except ValueError:
        return False
    found = message["From"].addresses
    return len(found) == 1 and bool(found[0].username and found[0].domain)


def _parts(url: str) -> SplitResult | None:
    """Return the parts of a URL that says where mails go, None if it does not."""
    try:
        parts = urlsplit(url)
        complete = {
            "log": url == NOWHERE,
            "file": parts.path.startswith("/") and not parts.netloc,
            **dict.fromkeys(PORTS, bool(parts.hostname) and parts.port != 0),
        }
    except ValueError:  # a port that is none
        return None
    return parts if complete.get(parts.scheme) else None


def _on_one_line(value: object) -> object:
    """Return a text that cannot begin a header, or a line of its own."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return " ".join(value.split())
    return value
