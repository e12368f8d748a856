"""Rules about values: redirects, CSRF tokens, public reads, roles, decisions."""

from contextlib import suppress
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_service.domain.approvals import DECISIONS, ApprovalStatus, require_decidable
from identity_service.domain.csrf import csrf_cookie, csrf_token, proves_same_page
from identity_service.domain.errors import (
    AlreadyApplied,
    DecisionNotPossible,
    PasswordTooWeak,
    RoleConflict,
)
from identity_service.domain.exchange import comes_from_our_pages, is_public_read
from identity_service.domain.passwords import hash_password, is_password, require_strong
from identity_service.domain.people import CREATORS, Role, require_may_apply, role_on_the_wire
from identity_service.domain.redirects import origin_of, safe_callback_url
from identity_service.domain.second_factor import delay_after
from identity_service.domain.service_clients import GRANTS, ServiceClient
from identity_service.domain.sign_in import hashed
from identity_service.domain.standing import may_have_shows_on_sale

HERE = "https://comedy.example"
FRONT_END = "http://localhost:3000"
ORIGINS = frozenset({HERE, FRONT_END})
SECRET = "a secret for csrf"


@pytest.mark.parametrize(
    ("asked", "url"),
    [
        (None, HERE),
        ("", HERE),
        ("/", f"{HERE}/"),
        ("/shows?city=Hyderabad&q=%20x#top", f"{HERE}/shows?city=Hyderabad&q=%20x#top"),
        (f"{HERE}/shows", f"{HERE}/shows"),
        (f"{HERE}:443/shows", f"{HERE}:443/shows"),
        ("HTTPS://COMEDY.example/shows", "HTTPS://COMEDY.example/shows"),
        (f"{FRONT_END}/shows", f"{FRONT_END}/shows"),
        ("/%2f%2fevil.example", f"{HERE}/%2f%2fevil.example"),
        ("/a@evil.example", f"{HERE}/a@evil.example"),
    ],
)
def test_an_address_of_ours_is_gone_to(asked: str | None, url: str) -> None:
    assert safe_callback_url(asked, public_url=HERE, origins=ORIGINS) == url


@pytest.mark.parametrize(
    "asked",
    [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "https:evil.example",
        "https:/evil.example",
        "https:///evil.example",
        "http://comedy.example/",
        "https://comedy.example:444/",
        "https://comedy.example:x/",
        "https://comedy.example@evil.example/",
        "https://user:pw@comedy.example/",
        "https://@comedy.example/",
        "https://comedy.example.evil.example/",
        "https://comedy.example\\@evil.example/",
        "https://comedy.example//evil.example",
        "https://[comedy.example/",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "evil.example",
        "shows",
        "/shows\r\nSet-Cookie: a=b",
        "/shows\n",
        " /shows",
        "\t/shows",
        "/sho ws",
        "/shows\x00",
        "/\u3000evil",
        "https://comedy.example\u3002evil.example",
        "/" + "x" * 2000,
    ],
)
def test_a_doubtful_address_leads_to_the_start_page(asked: str) -> None:
    assert safe_callback_url(asked, public_url=HERE, origins=ORIGINS) == HERE


@given(st.text(alphabet="/\\:@.?#%hteps evilcomdyxa\t\r\n[]", max_size=60))
def test_no_address_leads_elsewhere(asked: str) -> None:
    url = safe_callback_url(asked, public_url=HERE, origins=ORIGINS)

    assert origin_of(url) in ORIGINS
    assert not set(url) & set("\\ \t\r\n")


def test_a_form_is_proved_by_its_own_browsers_cookie_only() -> None:
    cookie = csrf_cookie("token", secret=SECRET)

    assert csrf_token(cookie, secret=SECRET) == "token"
    assert proves_same_page("token", cookie, secret=SECRET)
    for form, other in (
        (None, cookie),
        ("", cookie),
        ("tokem", cookie),
        ("token", None),
        ("token", ""),
        ("token", "token"),
        ("token", "token|"),
        ("token", csrf_cookie("token", secret="another secret")),
        ("", csrf_cookie("", secret=SECRET)),
        ("tøken", cookie),
    ):
        assert not proves_same_page(form, other, secret=SECRET)


@pytest.mark.parametrize(
    ("method", "uri", "public"),
    [
        ("GET", "/api/v1/shows", True),
        ("HEAD", "/api/v1/shows/1", True),
        ("GET", "/api/v1/shows?mode=public", True),
        ("GET", "/api/v1/shows?mode=", True),
        ("GET", "/api/v1/shows?mode=manage", False),
        ("GET", "/api/v1/shows?mode=public&mode=manage", False),
        ("GET", "/api/v1/shows?x=1&mode=%6danage", False),
        ("OPTIONS", "/api/v1/shows", False),
        ("POST", "/api/v1/shows", False),
        ("", "/api/v1/shows", False),
        ("GET", "/api/v1/shows/1/changes", False),
        ("GET", "/api/v1/showsx", False),
        ("GET", "/x/api/v1/shows", False),
        ("GET", "/api/v1/comedian/profile", False),
        ("GET", "/api/v1/bookings", False),
        ("GET", "", False),
    ],
)
def test_what_anybody_may_read_is_known(method: str, uri: str, public: bool) -> None:
    assert is_public_read(method, uri) is public


def test_a_change_must_come_from_our_pages() -> None:
    for method, origin in product(["GET", "HEAD", "OPTIONS"], [None, "null", HERE, "x"]):
        assert comes_from_our_pages(method, origin, origins=ORIGINS)
    for method in ["POST", "PUT", "PATCH", "DELETE", "BREW", ""]:
        assert comes_from_our_pages(method, HERE, origins=ORIGINS)
        for origin in [None, "", "null", "https://evil.example", f"{HERE}/", HERE.upper()]:
            assert not comes_from_our_pages(method, origin, origins=ORIGINS)


def test_a_role_on_the_wire_says_whether_a_creator_is_verified() -> None:
    standings: list[ApprovalStatus | None] = [None, *ApprovalStatus]
    for role, approval in product(Role, standings):
        wire = role_on_the_wire(role, approval)
        if role not in CREATORS:
            assert wire == role
        elif approval is ApprovalStatus.APPROVED:
            assert wire == f"{role}_VERIFIED"
        else:
            assert wire == f"{role}_UNVERIFIED"


def test_only_the_audience_may_apply() -> None:
    for wanted in CREATORS:
        require_may_apply(Role.AUDIENCE, wanted=wanted)
        with pytest.raises(AlreadyApplied):
            require_may_apply(wanted, wanted=wanted)
        for other in set(Role) - {Role.AUDIENCE, wanted}:
            with pytest.raises(RoleConflict):
                require_may_apply(other, wanted=wanted)


def test_decisions_follow_the_table_in_every_pair() -> None:
    for current, decision in product(ApprovalStatus, ApprovalStatus):
        if decision in DECISIONS[current]:
            require_decidable(current, decision)
        else:
            with pytest.raises(DecisionNotPossible, match=f"{current}.*{decision}"):
                require_decidable(current, decision)


def test_nobody_decides_that_an_application_is_pending() -> None:
    assert all(ApprovalStatus.PENDING not in decisions for decisions in DECISIONS.values())


def test_a_client_may_have_subsets_of_its_scopes_at_one_audience_and_nothing_else() -> None:
    catalog = ServiceClient("catalog", (hashed("a"), hashed("b")), GRANTS["catalog"])

    assert catalog.may("booking", frozenset({"booking:offers:write"}))
    assert catalog.may("booking", GRANTS["catalog"]["booking"])
    assert not catalog.may("booking", frozenset())
    assert not catalog.may("booking", frozenset({"identity:people:read"}))
    assert not catalog.may("config", frozenset({"config:fees:read"}))
    assert (catalog.knows(hashed("a")), catalog.knows(hashed("b"))) == (True, True)
    assert not catalog.knows(hashed("c"))


def test_guessing_becomes_slower_and_slower_up_to_an_hour() -> None:
    seconds = [delay_after(failures).total_seconds() for failures in range(14)]

    assert seconds == [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert delay_after(10**9).total_seconds() == 3600


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "Tr0ub4dor&3xyz",
        "seven silly llamas",
        "हास्य कविता सम्मेलन",
        "x9!kQ2#mZp",
    ],
)
def test_a_password_that_nobody_tries_first_is_good_enough(password: str) -> None:
    require_strong(password, email="anna@example.org")


@given(st.text(max_size=40))
def test_every_password_can_be_judged(password: str) -> None:
    with suppress(PasswordTooWeak):
        require_strong(password, email="admin@example.org")


def test_what_is_no_hash_is_nobodys_password() -> None:
    stored = hash_password("seven silly llamas")

    assert is_password(stored, "seven silly llamas")
    assert not is_password(stored, "seven silly llama")
    assert not is_password("not a hash", "seven silly llamas")
    assert hash_password("seven silly llamas") != stored


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("ruling", [None, ApprovalStatus.APPROVED, ApprovalStatus.REVOKED])
def test_only_a_revocation_takes_shows_off_sale_and_never_an_admins(
    role: Role, ruling: ApprovalStatus | None
) -> None:
    off_sale = ruling is ApprovalStatus.REVOKED and role is not Role.ADMIN

    assert may_have_shows_on_sale(role, ruling) is not off_sale
