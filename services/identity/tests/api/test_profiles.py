"""Applying as a creator, and what people tell about themselves."""

from typing import Any
from uuid import UUID

import pytest
from services.identity.tests.conftest import Browser, PersonFactory, some_email
from sqlalchemy import text
from werkzeug.test import TestResponse

from identity_service.domain.approvals import ApprovalStatus
from identity_service.usecases.decide_application import decide_application
from identity_service.wiring import Wiring

SOMEBODY = "0199c0de-0000-7000-8000-000000000001"
COMEDIAN, ORGANIZER = "/api/v1/comedian/profile", "/api/v1/organizer/profile"
UPDATE = "/api/v1/profile/update"
FUNNY = {
    "stageName": "Sravya Rao",
    "bio": "Puns",
    "contact": "9000000000",
    "socialLinks": {"instagram": "sravya", "twitter": None, "youtube": ""},
    "youtubeUrls": ["https://youtu.be/abc"],
    "instagramUrls": ["https://www.instagram.com/p/abc/", "https://instagram.com/reel/x"],
}
NIGHTS = {
    "name": "Laughing Nights",
    "contact": "boxoffice@example.org",
    "venue": "Banjara Hills",
    "description": "Since 2016",
    "youtubeUrls": [""],
    "instagramUrls": [],
    "instagram": "laughs",
    "youtube": "",
}


@pytest.fixture
def me(browser: Browser) -> Browser:
    browser.sign_in(some_email())
    return browser


def send(browser: Browser, path: str, body: Any, method: str = "POST") -> TestResponse:
    return browser.client.open(path, method=method, json=body, headers=browser.bearer())


def shown(browser: Browser, path: str) -> dict[str, Any]:
    answer = browser.get(path, headers=browser.bearer())
    assert answer.status_code == 200, answer.text
    return dict(answer.json or {})


def decide(use: Wiring, browser: Browser, admin_id: UUID, *decisions: ApprovalStatus) -> None:
    for decision in decisions:
        decide_application(
            use.begin,
            user_id=UUID(browser.session()["user"]["id"]),
            decision=decision,
            admin_id=admin_id,
            reason=f"It is {decision}.",
        )


def history(use: Wiring, browser: Browser) -> list[str]:
    with use.engine.connect() as connection:
        return list(
            connection.execute(
                text(
                    "SELECT status::text FROM identity.approval WHERE user_id = :id ORDER BY number"
                ),
                {"id": browser.session()["user"]["id"]},
            ).scalars()
        )


def test_a_member_of_the_audience_applies_as_a_comedian(me: Browser) -> None:
    answer = send(me, COMEDIAN, FUNNY)

    assert answer.status_code == 201, answer.text
    assert answer.json == shown(me, COMEDIAN)
    profile = answer.json["profile"]
    assert {name: profile[name] for name in FUNNY} == {
        **FUNNY,
        "socialLinks": {"instagram": "sravya"},
    }
    assert (answer.json["approval"]["status"], answer.json["approval"]["reason"]) == (
        "PENDING",
        None,
    )
    user = me.session()["user"]
    assert (user["role"], user["comedianProfile"]) == ("COMEDIAN_UNVERIFIED", profile)


def test_a_member_of_the_audience_applies_as_an_organizer(me: Browser) -> None:
    answer = send(me, ORGANIZER, NIGHTS)

    assert answer.status_code == 201, answer.text
    profile = answer.json["profile"]
    assert (profile["name"], profile["venue"]) == ("Laughing Nights", "Banjara Hills")
    assert (profile["youtubeUrls"], profile["socialLinks"]) == ([], {"instagram": "laughs"})
    assert me.session()["user"]["role"] == "ORGANIZER_UNVERIFIED"


def test_a_name_is_all_that_a_comedian_must_tell(me: Browser) -> None:
    empty = {"bio": "", "contact": "", "socialLinks": None, "youtubeUrls": None}

    answer = send(me, COMEDIAN, {"stageName": "A", **empty})

    assert answer.status_code == 201
    assert (answer.json["profile"]["contact"], answer.json["profile"]["youtubeUrls"]) == (None, [])


def test_nobody_applies_twice_or_as_both(me: Browser) -> None:
    send(me, COMEDIAN, FUNNY)

    again, other = send(me, COMEDIAN, FUNNY), send(me, ORGANIZER, NIGHTS)

    assert (again.status_code, again.json["code"]) == (409, "ALREADY_APPLIED")
    assert (other.status_code, other.json["code"]) == (409, "ROLE_CONFLICT")


@pytest.mark.parametrize("path", [COMEDIAN, ORGANIZER])
def test_who_never_applied_has_no_profile(me: Browser, path: str) -> None:
    shown_to_her = me.get(path, headers=me.bearer())
    changed = send(me, path, {"instagramUrls": []}, "PUT")

    assert (shown_to_her.status_code, shown_to_her.json["code"]) == (404, "NO_PROFILE")
    assert (changed.status_code, changed.json["code"]) == (404, "NO_PROFILE")


def test_an_edit_changes_what_it_names_and_nothing_else(me: Browser) -> None:
    before = send(me, COMEDIAN, FUNNY).json["profile"]

    answer = send(me, COMEDIAN, {"bio": "More puns", "contact": None}, "PUT")

    assert answer.status_code == 200
    assert answer.json["profile"] == {**before, "bio": "More puns", "contact": None}
    assert send(me, COMEDIAN, {}, "PUT").json["profile"] == answer.json["profile"]


def test_a_handle_is_set_among_the_links_there_are(me: Browser) -> None:
    send(me, ORGANIZER, {**NIGHTS, "socialLinks": {"twitter": "nights"}})

    answer = send(me, ORGANIZER, {"youtube": "channel", "instagram": None}, "PUT")

    assert answer.json["profile"]["socialLinks"] == {"twitter": "nights", "youtube": "channel"}


@pytest.mark.parametrize("method", ["POST", "PUT", "UPDATE"])
def test_who_was_rejected_applies_again_by_an_edit_and_the_history_stays(
    me: Browser, use: Wiring, person_with: PersonFactory, method: str
) -> None:
    send(me, COMEDIAN, FUNNY)
    profile_id = shown(me, COMEDIAN)["profile"]["id"]
    decide(use, me, person_with(), ApprovalStatus.REJECTED)
    assert shown(me, COMEDIAN)["approval"]["reason"] == "It is REJECTED."

    if method == "UPDATE":
        answer = send(me, UPDATE, {"comedianBio": "Better puns"})
    else:
        answer = send(me, COMEDIAN, {**FUNNY, "bio": "Better puns"}, method)

    assert answer.status_code in {200, 201}
    after = shown(me, COMEDIAN)
    assert (after["profile"]["id"], after["profile"]["bio"]) == (profile_id, "Better puns")
    assert (after["approval"]["status"], after["approval"]["reason"]) == ("PENDING", None)
    assert history(use, me) == ["PENDING", "REJECTED", "PENDING"]


def test_a_form_that_sends_all_back_as_it_was_is_no_application(
    me: Browser, use: Wiring, person_with: PersonFactory
) -> None:
    send(me, COMEDIAN, FUNNY)
    decide(use, me, person_with(), ApprovalStatus.REJECTED)

    assert send(me, COMEDIAN, FUNNY, "PUT").status_code == 200
    told = shown(me, COMEDIAN)["profile"]
    flat = {
        "phone": "9876543210",
        "stageName": told["stageName"],
        "comedianBio": told["bio"],
        "comedianYoutubeUrls": told["youtubeUrls"],
        "comedianSocialLinks": told["socialLinks"],
    }
    assert send(me, UPDATE, flat).status_code == 200

    assert history(use, me) == ["PENDING", "REJECTED"]


def test_other_edits_are_no_application(
    me: Browser, use: Wiring, person_with: PersonFactory
) -> None:
    send(me, ORGANIZER, NIGHTS)
    send(me, ORGANIZER, {"venue": "Charminar"}, "PUT")
    assert history(use, me) == ["PENDING"]

    decide(use, me, person_with(), ApprovalStatus.REJECTED)
    send(me, ORGANIZER, {}, "PUT")
    send(me, UPDATE, {"city": "Hyderabad", "comedianBio": "not mine"})
    assert history(use, me) == ["PENDING", "REJECTED"]

    decide(use, me, person_with(), ApprovalStatus.APPROVED, ApprovalStatus.REVOKED)
    send(me, ORGANIZER, {"venue": "Charminar"}, "PUT")
    assert history(use, me)[-1] == "REVOKED"
    again = send(me, ORGANIZER, NIGHTS)
    assert (again.status_code, again.json["code"]) == (409, "ALREADY_APPLIED")


def test_an_approved_creator_stays_approved_after_an_edit(
    me: Browser, use: Wiring, person_with: PersonFactory
) -> None:
    send(me, ORGANIZER, NIGHTS)
    decide(use, me, person_with(), ApprovalStatus.APPROVED)

    send(me, ORGANIZER, {"venue": "Charminar"}, "PUT")

    assert me.session()["user"]["role"] == "ORGANIZER_VERIFIED"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stageName", ""),
        ("stageName", None),
        ("stageName", "x" * 201),
        ("stageName", "a\x00"),
        ("stageName", "\udfff"),
        ("stageName", "\u202eevil\u200b"),
        ("stageName", "\b\u200b"),
        ("stageName", "\u200b"),
        ("stageName", "Asha\nRao"),
        ("stageName", 7),
        ("bio", "x" * 2001),
        ("bio", "\ud800"),
        ("bio", "Puns\x1b[31m"),
        ("contact", "123456789"),
        ("contact", "90000000001"),
        ("contact", "+919000000000"),
        ("contact", "९०००००००००"),
        ("contact", "9000000000\n"),
        ("contact", 9000000000),
        ("socialLinks", {"facebook": "x"}),
        ("socialLinks", {"instagram": "\x00"}),
        ("socialLinks", {"instagram": ["x"]}),
        ("socialLinks", {"instagram": "javascript:alert(document.cookie)"}),
        ("socialLinks", {"instagram": "sravya\nrao"}),
        ("socialLinks", {"twitter": "http://twitter.com/sravya"}),
        ("socialLinks", {"youtube": "//evil.example"}),
        ("socialLinks", {"youtube": "https://[evil.example"}),
        ("socialLinks", "x"),
        ("youtubeUrls", ["https://youtu.be/a", "https://youtu.be/b"]),
        ("youtubeUrls", ["http://youtu.be/a"]),
        ("youtubeUrls", ["https://youtube.com.evil.example/watch?v=a"]),
        ("youtubeUrls", ["https://youtu.be@evil.example/a"]),
        ("youtubeUrls", ["https://evil.example\\@youtu.be/a"]),
        ("youtubeUrls", ["javascript:alert(1)//youtu.be/a"]),
        ("youtubeUrls", ["https://youtube.com/channel/a"]),
        ("youtubeUrls", ["https://youtu.be:8443/a"]),
        ("youtubeUrls", ["https://[youtu.be/a"]),
        ("youtubeUrls", ["https://youtu.be/" + "x" * 3000]),
        ("youtubeUrls", ["https://youtu.be/\x00"]),
        ("youtubeUrls", ["\ud800"]),
        ("youtubeUrls", "https://youtu.be/a"),
        ("youtubeUrls", [None]),
        ("youtubeUrls", [7]),
        ("instagramUrls", ["https://instagram.com/p/a"] * 3),
        ("instagramUrls", ["https://instagram.com/someone"]),
        ("instagramUrls", ["https://youtu.be/a"]),
        ("role", "ADMIN"),
        ("userId", SOMEBODY),
        ("customPlatformFee", 0),
    ],
)
def test_an_application_that_does_not_fit_is_refused_by_the_field(
    me: Browser, field: str, value: object
) -> None:
    answer = send(me, COMEDIAN, {**FUNNY, field: value})

    assert answer.status_code == 422, answer.text
    assert any(name.split(".")[0] == field for name in answer.json["errors"])
    assert me.session()["user"]["role"] == "AUDIENCE"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "\u202eevil\u200b"),
        ("name", "Laughing\nNights"),
        ("contact", "c\x1b[31m"),
        ("venue", "\u200b"),
        ("description", "\u202eSince 2016"),
        ("socialLinks", {"instagram": "javascript:alert(document.cookie)"}),
        ("socialLinks", {"youtube": "//evil.example"}),
        ("instagram", "javascript:alert(2)"),
        ("youtube", "//evil.example"),
    ],
)
def test_an_organizer_tells_nothing_that_misleads_a_reader_or_runs_in_a_page(
    me: Browser, field: str, value: object
) -> None:
    refused = send(me, ORGANIZER, {**NIGHTS, field: value})
    assert refused.status_code == 422, refused.text
    assert any(name.split(".")[0] == field for name in refused.json["errors"])
    assert me.session()["user"]["role"] == "AUDIENCE"

    send(me, ORGANIZER, NIGHTS)
    assert send(me, ORGANIZER, {field: value}, "PUT").status_code == 422


def test_social_links_are_names_or_https_links(me: Browser) -> None:
    links = {"instagram": "@sravya.rao", "youtube": "https://www.youtube.com/@sravya"}

    answer = send(me, COMEDIAN, {**FUNNY, "socialLinks": links})
    assert answer.json["profile"]["socialLinks"] == links

    refused = send(me, COMEDIAN, {"socialLinks": {"instagram": "javascript:alert(1)"}}, "PUT")
    assert refused.json["errors"] == {"socialLinks.instagram": ["Give a name or an https link."]}


def test_a_longer_text_keeps_its_lines_and_every_text_loses_the_space_around_it(
    me: Browser,
) -> None:
    told = {"name": " Laughing Nights\n", "description": "Since 2016.\r\nAlways funny.\n"}

    profile = send(me, ORGANIZER, {**NIGHTS, **told}).json["profile"]

    assert profile["name"] == "Laughing Nights"
    assert profile["description"] == "Since 2016.\nAlways funny."


def test_what_was_stored_before_it_was_refused_can_still_be_read(me: Browser, use: Wiring) -> None:
    send(me, COMEDIAN, FUNNY)
    with use.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE identity.comedian_profile SET stage_name = :name, "
                'social_links = \'{"instagram": "javascript:alert(1)"}\' WHERE user_id = :id'
            ),
            {"name": "\u202eevil\n", "id": me.session()["user"]["id"]},
        )

    profile = shown(me, COMEDIAN)["profile"]
    assert profile["stageName"] == "\u202eevil\n"
    assert profile["socialLinks"] == {"instagram": "javascript:alert(1)"}
    answer = send(me, COMEDIAN, {"bio": "More puns"}, "PUT")
    assert (answer.status_code, answer.json["profile"]["bio"]) == (200, "More puns")


@pytest.mark.parametrize("path", [COMEDIAN, ORGANIZER, UPDATE])
@pytest.mark.parametrize("body", [[], "x", 7, [{}]])
def test_a_body_that_is_no_object_is_refused(me: Browser, path: str, body: object) -> None:
    assert send(me, path, body).status_code in {400, 422}


@pytest.mark.parametrize(
    "link",
    [
        "https://www.youtube.com/watch?v=abc",
        "https://m.youtube.com/shorts/abc",
        "https://youtube.com/embed/abc",
        "https://youtu.be:443/abc",
        "HTTPS://YOUTU.BE/abc",
    ],
)
def test_every_kind_of_link_to_a_video_is_accepted(me: Browser, link: str) -> None:
    assert send(me, COMEDIAN, {**FUNNY, "youtubeUrls": [link]}).status_code == 201


def test_the_flat_form_changes_a_comedian_as_a_person_and_as_a_comedian(me: Browser) -> None:
    send(me, COMEDIAN, FUNNY)

    answer = send(
        me,
        UPDATE,
        {
            "name": "Sravya",
            "age": "31",
            "language": "Telugu",
            "image": "/api/v1/media/00112233445566778899aabbccddeeff.webp",
            "stageName": "S. Rao",
            "comedianContact": None,
            "comedianYoutubeUrls": None,
            "comedianSocialLinks": {"twitter": "srao", "facebook": "ignored"},
            "youtubeHandle": "srao-tv",
            "organizerName": "not mine",
            "role": "ADMIN",
            "email": "other@example.org",
            "onboardingCompleted": True,
        },
    )

    assert answer.status_code == 200, answer.text
    user = answer.json["user"]
    assert user == me.session()["user"]
    assert (user["name"], user["age"], user["language"]) == ("Sravya", 31, "Telugu")
    assert user["image"] == "/api/v1/media/00112233445566778899aabbccddeeff.webp"
    profile = user["comedianProfile"]
    assert (profile["stageName"], profile["bio"]) == ("S. Rao", "Puns")
    assert (profile["contact"], profile["youtubeUrls"]) == (None, [])
    assert profile["socialLinks"] == {"twitter": "srao", "youtube": "srao-tv"}
    assert (user["role"], user["organizerProfile"]) == ("COMEDIAN_UNVERIFIED", None)
    assert user["onboardingCompleted"] is False
    assert user["email"] != "other@example.org"


def test_in_the_flat_form_absent_is_unchanged_and_null_or_empty_is_cleared(me: Browser) -> None:
    send(me, UPDATE, {"name": "Asha", "city": "Hyderabad", "phone": "9000000000", "age": 30})

    user = send(me, UPDATE, {"city": None, "phone": "", "age": ""}).json["user"]

    assert (user["name"], user["city"], user["phone"], user["age"]) == ("Asha", None, None, None)


def test_a_member_of_the_audience_may_send_a_creators_empty_fields_along(me: Browser) -> None:
    empty = {"stageName": "", "organizerName": None, "comedianYoutubeUrls": [""], "age": None}

    answer = send(me, UPDATE, {"name": "Asha", **empty, "instagramHandle": "asha"})

    assert answer.status_code == 200
    assert (answer.json["user"]["name"], answer.json["user"]["role"]) == ("Asha", "AUDIENCE")


def test_a_creator_keeps_a_name(me: Browser) -> None:
    send(me, COMEDIAN, FUNNY)

    answer = send(me, UPDATE, {"name": "Changed", "stageName": ""})

    assert (answer.status_code, answer.json["code"]) == (422, "PROFILE_NEEDS_NAME")
    assert me.session()["user"]["name"] != "Changed"
    assert send(me, COMEDIAN, {"stageName": None}, "PUT").status_code == 422


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "\x00"),
        ("name", "\ud800"),
        ("name", "x" * 201),
        ("name", "\b\u200b"),
        ("name", "Asha\nRao"),
        ("name", "\u202eAsha"),
        ("city", "\u200b"),
        ("phone", "9\x1b[31m"),
        ("bio", "x" * 2001),
        ("bio", "Puns\x1b[31m"),
        ("age", 0),
        ("age", 10**30),
        ("age", "many"),
        ("age", float("inf")),
        ("age", float("nan")),
        ("image", "javascript:alert(1)"),
        ("image", "http://x.example/a.png"),
        ("image", "/api/v1/media/../../etc/passwd"),
        ("image", "//evil.example/a.png"),
        ("comedianYoutubeUrls", ["https://evil.example/watch"]),
        ("organizerInstagramUrls", ["https://evil.example/p/x"]),
        ("comedianSocialLinks", "sravya"),
        ("comedianSocialLinks", {"twitter": "javascript:alert(1)"}),
        ("organizerName", "\u2066Laughs"),
        ("organizerSocialLinks", {"youtube": "//evil.example"}),
        ("instagramHandle", "javascript:alert(1)"),
        ("youtubeHandle", "data:text/html,x"),
        ("comedianContact", "call me"),
    ],
)
def test_a_field_of_the_flat_form_that_does_not_fit_is_named(
    me: Browser, field: str, value: object
) -> None:
    answer = send(me, UPDATE, {field: value})

    assert answer.status_code == 422, answer.text
    assert any(name.split(".")[0] == field for name in answer.json["errors"])


def test_somebody_who_is_gone_is_signed_out(me: Browser, use: Wiring) -> None:
    bearer = me.bearer()
    with use.engine.begin() as connection:
        connection.exec_driver_sql(
            'DELETE FROM identity."user" WHERE id = %s', (me.session()["user"]["id"],)
        )

    for method, path, body in (
        ("GET", COMEDIAN, None),
        ("GET", ORGANIZER, None),
        ("POST", COMEDIAN, FUNNY),
        ("POST", ORGANIZER, NIGHTS),
        ("PUT", COMEDIAN, {"bio": "x"}),
        ("POST", UPDATE, {"city": "x"}),
    ):
        answer = me.client.open(path, method=method, json=body, headers=bearer)
        assert answer.status_code == 401, (method, path)
