"""What people are told by mail, from the request to the file that stands for their mailbox."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from tests.system.conftest import ShowFactory, VisitorFactory

from devstack.stack import Stack
from devstack.testing import eventually
from devstack.visitor import Visitor

pytestmark = pytest.mark.system


def test_a_buyer_is_told_of_a_booking_and_of_the_end_of_its_show(
    stack: Stack, visitor: VisitorFactory, show_on_sale: ShowFactory, admin: Visitor
) -> None:
    email = f"{uuid4().hex}@people.example"
    show = show_on_sale(title="Mails & More")
    wish = {"showId": show["id"], "quantity": 2}
    assert visitor(email).post("/api/v1/bookings", wish).status_code == 201
    eventually(lambda: subjects(stack, email) == ["Booked: Mails & More"])

    answer = admin.post(f"/api/v1/shows/{show['id']}/cancel", {"reason": "The comedian is ill"})
    assert answer.ok, answer.text
    eventually(lambda: len(subjects(stack, email)) == 2)

    booked, cancelled = mails_to(stack, email)
    assert "Total ₹1,087.82, to be paid at the venue" in text_of(booked)
    assert cancelled["Subject"] == "The show is cancelled: Mails & More"


def test_a_creator_is_told_of_a_decision_and_whoever_is_deleted_last_of_all_of_that(
    stack: Stack, visitor: VisitorFactory, admin: Visitor
) -> None:
    email = f"{uuid4().hex}@people.example"
    creator = visitor()
    creator_id = creator.sign_in(email)["id"]
    answers = {"name": "Zoya", "age": 31, "city": "Hyderabad", "watchedComedy": "yes"}
    assert creator.post("/api/v1/onboarding", answers).ok
    profile = {"stageName": "Zoya", "youtubeUrls": [], "instagramUrls": []}
    assert creator.post("/api/v1/comedian/profile", profile).ok
    decision = {"comedianId": creator_id, "action": "APPROVE"}
    assert admin.post("/api/v1/admin/comedian-users", decision).ok
    eventually(lambda: subjects(stack, email) == ["You are approved as a comedian"])

    link = creator.post("/api/v1/profile/delete").json()["statusUrl"].removeprefix(creator.url)
    eventually(lambda: creator.get(link).json()["state"] == "COMPLETED", seconds=60)

    assert subjects(stack, email)[1:] == ["Your account is deleted"]


def mails_to(stack: Stack, email: str) -> list[EmailMessage]:
    """Return the mails that somebody was sent, oldest first."""
    folder = Path(urlsplit(stack.settings["MAIL_URL"]).path)
    files = sorted(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
    mails = [message_from_bytes(file.read_bytes(), policy=default) for file in files]
    return [mail for mail in mails if mail["To"] == email]


def subjects(stack: Stack, email: str) -> list[str]:
    return [str(mail["Subject"]) for mail in mails_to(stack, email)]


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())
