"""Mails are written and leave the process: over real SMTP, into a folder, or into the log."""

import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from structlog.testing import capture_logs

from devstack.ports import free_ports
from mail_catcher import MailCatcher, mail_catcher
from service_kit.mail import MailDeferred, MailRefused, MailSettings, Post
from service_kit.peers import PeerUnavailable
from service_kit.settings import SettingsError, reading

TEMPLATES = {
    "greeting.txt": "Hello {{ name }}\n\nWelcome, {{ name }}.\n",
    "greeting.html": "<p>Welcome, {{ name }}.</p>\n",
}
SENDER = "Comedy Connect <tickets@comedy.example>"
ASHA = "asha@example.org"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A package with templates, as a service has them."""
    root = tmp_path_factory.mktemp("packages")
    folder = root / "greeter" / "templates" / "mail"
    folder.mkdir(parents=True)
    (root / "greeter" / "__init__.py").touch()
    for name, text in TEMPLATES.items():
        (folder / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root))
        yield "greeter"


@pytest.fixture(scope="module")
def server() -> Iterator[MailCatcher]:
    with mail_catcher() as catcher:
        yield catcher


def settings_of(*, development: bool = True, **environment: str) -> MailSettings:
    with reading({"MAIL_FROM": SENDER, **environment}) as env:
        return MailSettings.read(env, development=development)


def greet(post: Post, *, to: str = ASHA, name: str = "Asha", event: str = "e1") -> None:
    post.send("greeting", event=event, to=to, name=name)


def bodies(message: EmailMessage) -> dict[str, str]:
    parts = [part for part in message.walk() if not part.is_multipart()]
    return {part.get_content_type(): part.get_content().strip() for part in parts}


def test_a_mail_says_the_same_in_text_and_html(package: str, server: MailCatcher) -> None:
    greet(Post(package, settings_of(MAIL_URL=server.url)), to="both@example.org", name="Aśa <3")

    (mail,) = server.to("both@example.org")
    assert (mail["Subject"], mail["From"]) == ("Hello Aśa <3", SENDER)
    assert bodies(mail) == {
        "text/plain": "Welcome, Aśa <3.",
        "text/html": "<p>Welcome, Aśa &lt;3.</p>",
    }
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime.tzinfo is not None


def test_the_same_event_has_the_same_id_however_often_it_is_told(
    package: str, server: MailCatcher
) -> None:
    post = Post(package, settings_of(MAIL_URL=server.url))
    for event in ("once", "once", "another"):
        greet(post, to="again@example.org", event=event)

    ids = [mail["Message-ID"] for mail in server.to("again@example.org")]
    assert ids == [f"<{each}@comedy.example>" for each in ("once", "once", "another")]


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r", "\x85", "\u2028", "\x0b"])
def test_what_is_put_into_a_mail_begins_no_header_and_no_line(
    line_break: str, package: str, server: MailCatcher
) -> None:
    to = f"{line_break.encode().hex()}@example.org"
    name = f"Asha{line_break}Bcc: everybody@example.org{line_break}{line_break}Pay here"

    greet(Post(package, settings_of(MAIL_URL=server.url)), to=to, name=name)

    (mail,) = server.to(to)
    assert mail["Subject"] == "Hello Asha Bcc: everybody@example.org Pay here"
    assert mail["Bcc"] is None
    assert bodies(mail)["text/plain"].splitlines() == [
        "Welcome, Asha Bcc: everybody@example.org Pay here."
    ]


@pytest.mark.parametrize("to", ["", "nobody", "a@b.example\nBcc: c@d.example", "a@x, b@y", "<a@x>"])
def test_what_is_no_address_is_refused(to: str, package: str, server: MailCatcher) -> None:
    before = len(server.taken)

    with pytest.raises(MailRefused):
        greet(Post(package, settings_of(MAIL_URL=server.url)), to=to)

    assert len(server.taken) == before


@pytest.mark.parametrize(
    ("answer", "error"), [("550 no such user", MailRefused), ("451 later", MailDeferred)]
)
def test_a_server_refuses_one_mail_for_good_or_for_now(
    answer: str, error: type[Exception], package: str, server: MailCatcher
) -> None:
    address = f"{answer[:3]}@example.org"
    server.answers[address] = f"{answer}: {address}"
    post = Post(package, settings_of(MAIL_URL=server.url))

    with capture_logs() as logs, pytest.raises(error, match=answer[:3]) as raised:
        greet(post, to=address)

    assert address not in f"{raised.value}{logs}"
    greet(post, to="others@example.org")
    assert server.to("others@example.org")


def test_an_address_that_the_server_cannot_take_is_refused(package: str) -> None:
    with mail_catcher(enable_SMTPUTF8=False) as ascii_only, pytest.raises(MailRefused):
        greet(Post(package, settings_of(MAIL_URL=ascii_only.url)), to="आशा@example.org")


def test_a_server_that_is_away_is_unavailable(package: str) -> None:
    url = f"smtp://127.0.0.1:{free_ports(['PORT'])['PORT']}"

    with pytest.raises(PeerUnavailable, match="mail server: ConnectionRefusedError"):
        greet(Post(package, settings_of(MAIL_URL=url)))


def test_outside_of_development_nothing_is_said_without_tls(
    package: str, server: MailCatcher
) -> None:
    post = Post(package, settings_of(MAIL_URL=server.url, development=False))

    with pytest.raises(PeerUnavailable):
        greet(post, to="secret@example.org")

    assert server.to("secret@example.org") == []


def test_a_folder_has_one_file_for_each_event(package: str, tmp_path: Path) -> None:
    post = Post(package, settings_of(MAIL_URL=f"file://{tmp_path}/mails"))
    for event in ("one", "one", "two"):
        greet(post, event=event)

    files = sorted((tmp_path / "mails").iterdir())
    assert [file.name for file in files] == ["one.eml", "two.eml"]
    assert message_from_bytes(files[0].read_bytes(), policy=default)["To"] == ASHA


def test_without_a_setting_mails_are_noted_without_saying_to_whom(package: str) -> None:
    with capture_logs() as logs:
        greet(Post(package, settings_of()))

    noted = {"kind": "greeting", "outcome": "noted", "about": "e1", "reason": None}
    assert logs == [{"event": "mail", "log_level": "info", **noted}]


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"MAIL_URL": "http://mail"}, "MAIL_URL must be"),
        ({"MAIL_URL": "smtp://"}, "MAIL_URL must be"),
        ({"MAIL_URL": "smtp://mail:65536"}, "MAIL_URL must be"),
        ({"MAIL_URL": "file:mails"}, "MAIL_URL must be"),
        ({"MAIL_URL": "file:///mails"}, "must not be a folder outside of development"),
        ({"MAIL_URL": "smtp://mail", "MAIL_FROM": ""}, "MAIL_FROM is not set"),
        ({"MAIL_URL": "smtp://me@mail"}, "SMTP_PASSWORD is not set"),
        ({"MAIL_FROM": "Comedy Connect"}, "MAIL_FROM must be an address"),
        ({"MAIL_FROM": "a@b.example, c@d.example"}, "MAIL_FROM must be an address"),
        ({"MAIL_FROM": "a@b.example\nBcc: c@d.example"}, "MAIL_FROM must be an address"),
    ],
)
def test_settings_that_cannot_be_are_named(environment: Mapping[str, str], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        settings_of(development=False, **environment)


def test_a_user_of_the_server_has_a_password(package: str, tmp_path: Path) -> None:
    secret = tmp_path / "smtp_password"

    def only_with_the_password(*_: object) -> AuthResult:
        credentials = _[-1]
        assert isinstance(credentials, LoginPassword)
        right = (credentials.login, credentials.password) == (b"tickets@comedy.example", b"right")
        return AuthResult(success=right, handled=False)

    with mail_catcher(authenticator=only_with_the_password, auth_require_tls=False) as server:
        url = server.url.replace("//", "//tickets%40comedy.example@")

        def post_with(password: str) -> Post:
            secret.write_text(f"{password}\n")
            return Post(package, settings_of(MAIL_URL=url, SMTP_PASSWORD_FILE=str(secret)))

        with pytest.raises(PeerUnavailable, match="answered 535"):
            greet(post_with("wrong"))
        greet(post_with("right"))

    assert len(server.taken) == 1


@pytest.mark.parametrize(("scheme", "tls"), [("smtp", "tls_context"), ("smtps", "ssl_context")])
def test_a_connection_is_encrypted_if_the_server_proves_who_it_is(
    scheme: str, tls: str, package: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with mail_catcher(**{tls: context}) as server:
        url = server.url.replace("smtp://", f"{scheme}://")
        post = Post(package, settings_of(MAIL_URL=url, development=False))

        with pytest.raises(PeerUnavailable, match="SSLCertVerificationError"):
            greet(post)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        greet(post)

    assert len(server.taken) == 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1, which nobody vouches for, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "mail.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file
