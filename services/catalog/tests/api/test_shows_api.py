from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from catalog_service.domain.actors import Actor
from catalog_service.domain.comedians import ComedianDetails
from catalog_service.domain.offers import Refusal
from catalog_service.domain.shows import Show
from catalog_service.usecases.create_comedian import create_comedian
from catalog_service.usecases.publish_show import publish_show
from catalog_service.usecases.settle_change import settle_change
from catalog_service.wiring import Wiring
from service_kit.openapi import instant
from service_kit.testing import TokenIssuer

ShowFactory = Callable[..., Show]
SHOWS = "/api/v1/shows"


SOMEBODY = "0199c0de-0000-7000-8000-000000000001"


@pytest.fixture
def owner() -> Actor:
    return Actor(id=uuid4(), role="ORGANIZER", approved=True)


@pytest.fixture
def signed_in(issuer: TokenIssuer) -> Callable[[Actor], dict[str, str]]:
    return lambda actor: issuer.user(actor.id, role=actor.role, approved=actor.approved)


@pytest.fixture
def city() -> str:
    """A city of this test's own, so that others' shows stay out of its lists."""
    return f"City {uuid4().hex}"


def body(**changes: Any) -> dict[str, Any]:
    return {
        "title": "Open Mic",
        "date": instant(datetime.now(UTC) + timedelta(days=3)),
        "venue": "Lamakaan",
        "googleMapsLink": "https://maps.app.goo.gl/AbC",
        "ticketPrice": 499,
        "totalTickets": 80,
        **changes,
    }


def fields_of(response: TestResponse) -> set[str]:
    problem = response.get_json()
    assert (response.status_code, problem["code"]) == (422, "INVALID_FIELDS")
    assert response.mimetype == "application/problem+json"
    return set(problem["errors"])


def titles(client: FlaskClient, **query: Any) -> list[str]:
    response = client.get(SHOWS, query_string=query)
    assert response.status_code == 200, response.get_json()
    return [show["title"] for show in response.get_json()["shows"]]


def pages(client: FlaskClient, path: str, key: str, **options: Any) -> Iterator[list[Any]]:
    query: dict[str, Any] = dict(options.pop("query"))
    while True:
        page = client.get(path, query_string=query, **options).get_json()
        yield page[key]
        if page["nextCursor"] is None:
            return
        query["cursor"] = page["nextCursor"]


# ── creating


def test_a_new_show_has_every_field_the_front_end_reads(
    client: FlaskClient, owner: Actor, signed_in: Any
) -> None:
    sent = body(
        title="  Dakhni Nights ",
        description="Two acts.\r\nOne break.",
        durationMinutes=90,
        posterImageUrl="https://images.example/poster.webp",
        youtubeUrls=["https://youtu.be/x"],
        instagramUrls=["https://www.instagram.com/p/x/"],
    )

    response = client.post(SHOWS, json=sent, headers=signed_in(owner))

    assert response.status_code == 201
    show = response.get_json()["show"]
    created_at, show_id = show.pop("createdAt"), show.pop("id")
    assert created_at.endswith("Z")
    assert UUID(show_id).version == 7
    assert show == {
        "title": "Dakhni Nights",
        "description": "Two acts.\nOne break.",
        "date": sent["date"],
        "venue": "Lamakaan",
        "city": "Hyderabad",
        "googleMapsLink": "https://maps.app.goo.gl/AbC",
        "ticketPrice": 499,
        "totalTickets": 80,
        "posterImageUrl": "https://images.example/poster.webp",
        "durationMinutes": 90,
        "isPublished": False,
        "status": "DRAFT",
        "isDisbursed": False,
        "customPlatformFee": None,
        "version": 1,
        "youtubeUrls": ["https://youtu.be/x"],
        "instagramUrls": ["https://www.instagram.com/p/x/"],
        "createdBy": str(owner.id),
        "creator": {"id": str(owner.id), "name": None, "role": None},
        "showComedians": [],
        "ticketInventory": None,
        "_count": None,
    }


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"title": " \n"},
        {"title": "x" * 201},
        {"title": "bell\u0007"},
        {"title": "nul\u0000"},
        {"title": "half \ud800"},
        {"title": 7},
        {"date": "2020-01-01T00:00:00Z"},
        {"date": "tomorrow"},
        {"date": "2030-01-01T00:00:00"},
        {"venue": "x" * 201},
        {"city": ""},
        {"googleMapsLink": "https://evil.example/maps"},
        {"googleMapsLink": "https://www.google.com@evil.example/maps"},
        {"ticketPrice": -1},
        {"ticketPrice": 1.5},
        {"ticketPrice": "499"},
        {"ticketPrice": True},
        {"ticketPrice": 1_000_001},
        {"ticketPrice": 10**30},
        {"totalTickets": 0},
        {"totalTickets": 100_001},
        {"durationMinutes": 0},
        {"durationMinutes": 1441},
        {"description": "x" * 5001},
        {"posterImageUrl": "file:///etc/passwd"},
        {"youtubeUrls": ["https://youtu.be/a", "https://youtu.be/b"]},
        {"youtubeUrls": ["https://vimeo.com/1"]},
        {"instagramUrls": ["https://www.instagram.com/somebody"]},
        {"instagramUrls": ["https://www.instagram.com/p/x"] * 3},
        {"comedianIds": ["x"]},
        {"comedianIds": [SOMEBODY]},
        {"createdBy": SOMEBODY},
        {"customPlatformFee": 0},
        {"isPublished": True},
    ],
    ids=str,
)
def test_a_field_that_breaks_a_rule_is_named(
    client: FlaskClient, owner: Actor, signed_in: Any, change: dict[str, Any]
) -> None:
    response = client.post(SHOWS, json=body(**change), headers=signed_in(owner))

    (changed,) = change
    assert {name.split(".")[0] for name in fields_of(response)} == {changed}


@pytest.mark.parametrize(
    "field", ["title", "date", "venue", "googleMapsLink", "ticketPrice", "totalTickets"]
)
def test_a_missing_field_is_named(
    client: FlaskClient, owner: Actor, signed_in: Any, field: str
) -> None:
    sent = body()
    del sent[field]

    assert fields_of(client.post(SHOWS, json=sent, headers=signed_in(owner))) == {field}


@pytest.mark.parametrize(
    "change",
    [
        {"title": "x" * 200},
        {"ticketPrice": 0},
        {"ticketPrice": 1_000_000},
        {"totalTickets": 1},
        {"totalTickets": 100_000},
        {"durationMinutes": 1},
        {"durationMinutes": 1440},
        {"title": "हँसी का फव्वारा 😂"},
        {"description": None, "posterImageUrl": None},
    ],
    ids=str,
)
def test_the_bounds_themselves_are_fine(
    client: FlaskClient, owner: Actor, signed_in: Any, change: dict[str, Any]
) -> None:
    response = client.post(SHOWS, json=body(**change), headers=signed_in(owner))

    assert response.status_code == 201
    assert change.items() <= response.get_json()["show"].items()


# ── reading


def test_a_draft_is_seen_by_its_creator_and_admins_only(
    client: FlaskClient, draft: ShowFactory, owner: Actor, signed_in: Any
) -> None:
    path = f"{SHOWS}/{draft(by=owner).id}"
    admin = Actor(id=uuid4(), role="ADMIN", approved=False)
    other = Actor(id=uuid4(), role="ORGANIZER", approved=True)

    assert client.get(path, headers=signed_in(owner)).status_code == 200
    assert client.get(path, headers=signed_in(admin)).status_code == 200
    nobody: dict[str, str] = {}
    for headers in (nobody, signed_in(other)):
        foreign = client.get(path, headers=headers)
        unknown = client.get(f"{SHOWS}/{uuid4()}", headers=headers)
        assert foreign.status_code == unknown.status_code == 404
        assert _without_ids(foreign) == _without_ids(unknown)


@pytest.mark.parametrize(("method", "action"), [("POST", "publish"), ("GET", "changes")])
def test_anothers_show_and_an_unknown_one_are_the_same(
    client: FlaskClient, draft: ShowFactory, signed_in: Any, method: str, action: str
) -> None:
    headers = signed_in(Actor(id=uuid4(), role="ORGANIZER", approved=True))

    foreign = client.open(f"{SHOWS}/{draft().id}/{action}", method=method, headers=headers)
    unknown = client.open(f"{SHOWS}/{uuid4()}/{action}", method=method, headers=headers)

    assert foreign.status_code == unknown.status_code == 404
    assert _without_ids(foreign) == _without_ids(unknown)


def _without_ids(response: TestResponse) -> dict[str, Any]:
    problem: dict[str, Any] = response.get_json()
    return {key: value for key, value in problem.items() if key not in {"instance", "requestId"}}


def test_a_published_show_is_seen_by_everybody(client: FlaskClient, published: ShowFactory) -> None:
    show = published()

    answer = client.get(f"{SHOWS}/{show.id}").get_json()["show"]

    assert (answer["id"], answer["isPublished"]) == (str(show.id), True)


def test_discovery_shows_what_is_published_and_has_not_begun_by_date(
    client: FlaskClient, use: Wiring, draft: ShowFactory, published: ShowFactory, city: str
) -> None:
    now = use.now()
    draft(city=city, title="draft")
    published(city=city, title="second", starts_at=now + timedelta(days=2))
    published(city=city, title="first", starts_at=now + timedelta(days=1))
    over = published(city=city, title="over", starts_at=use.now() + timedelta(seconds=2))
    while use.now() < over.details.starts_at:
        pass

    assert titles(client, city=city) == ["first", "second"]
    assert titles(client, city=city.upper(), mode="public") == ["first", "second"]


def test_a_creator_sees_all_of_the_own_shows_and_no_others(
    client: FlaskClient,
    draft: ShowFactory,
    published: ShowFactory,
    owner: Actor,
    signed_in: Any,
) -> None:
    draft(by=owner, title="draft")
    published(by=owner, title="published")
    published(title="another's")

    shows = client.get(f"{SHOWS}?mode=manage", headers=signed_in(owner)).get_json()["shows"]

    assert {show["title"] for show in shows} == {"draft", "published"}
    assert [show["stats"] for show in shows] == [None, None]  # booking cannot be asked


def test_a_page_is_narrowed(
    client: FlaskClient, use: Wiring, published: ShowFactory, city: str
) -> None:
    day = datetime(2031, 5, 1, 14, 30, tzinfo=UTC)  # 20:00 in India
    bill = create_comedian(
        use.begin,
        actor=Actor(id=uuid4(), role="ADMIN", approved=False),
        details=ComedianDetails(name="Imran Baig", stage_name="The 100% Baig"),
    )
    published(city=city, title="Free", price_paise=0, starts_at=day, comedian_ids=[bill.id])
    published(city=city, title="Dear", price_paise=99_900, starts_at=day + timedelta(days=1))

    def found(**query: Any) -> list[str]:
        return titles(client, city=city, **query)

    assert found(minPrice=1) == ["Dear"]
    assert found(maxPrice=0) == ["Free"]
    assert found(minPrice=999, maxPrice=999) == ["Dear"]
    assert found(comedianId=bill.id) == ["Free"]
    assert found(comedianId=uuid4()) == []
    assert found(**{"from": "2031-05-02"}) == ["Dear"]
    assert found(to="2031-05-01") == ["Free"]
    assert found(**{"from": "2031-05-01", "to": "2031-05-02"}) == ["Free", "Dear"]
    assert found(**{"from": instant(day + timedelta(seconds=1))}) == ["Dear"]
    assert found(to=instant(day)) == []
    assert found(q="fre") == ["Free"]
    assert found(q="imran") == ["Free"]
    assert found(q="100% BAIG") == ["Free"]
    assert found(q="1%zz") == []  # no letters of a random city
    assert found(q="lamakaan dear") == ["Dear"]
    assert found(q="nobody") == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("to=9999-12-31", True),
        ("to=9999-12-30", True),
        ("to=9999-12-31T23:59:59.999999-23:59", True),
        ("to=0001-01-01", False),
        ("to=0001-01-01T00:00:00%2B23:59", False),
        ("to=9999-12-31&sort=newest", True),
        ("from=0001-01-01", True),
        ("from=0001-01-01T00:00:00%2B23:59", True),
        ("from=0001-01-01&to=9999-12-31", True),
        ("from=9999-12-31", False),
        ("from=9999-12-31T23:59:59.999999-23:59", False),
        ("from=2026-01-01T00:00:00%2B23:59:59.999999", True),
    ],
)
def test_the_first_and_the_last_day_there_is_are_days(
    client: FlaskClient, published: ShowFactory, city: str, query: str, found: bool
) -> None:
    published(city=city)

    answer = client.get(f"{SHOWS}?city={city}&{query}")

    assert answer.status_code == 200, answer.get_json()
    assert bool(answer.get_json()["shows"]) is found


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("date", ["c", "a", "b"]),
        ("price", ["b", "c", "a"]),
        ("-price", ["a", "c", "b"]),
        ("newest", ["c", "b", "a"]),
    ],
)
def test_pages_of_any_order_show_everything_once(
    client: FlaskClient,
    use: Wiring,
    published: ShowFactory,
    city: str,
    sort: str,
    expected: list[str],
) -> None:
    now = use.now()
    for title, days, price in (("a", 2, 300_00), ("b", 3, 100_00), ("c", 1, 200_00)):
        published(city=city, title=title, price_paise=price, starts_at=now + timedelta(days=days))

    query = {"city": city, "sort": sort, "limit": 1}
    found = [page[0]["title"] for page in pages(client, SHOWS, "shows", query=query)]

    assert found == expected


@pytest.mark.parametrize(
    "query",
    [
        "mode=everything",
        "limit=0",
        "limit=201",
        "limit=x",
        "sort=random",
        "minPrice=x",
        "minPrice=-1",
        "from=yesterday",
        "from=2031-13-01",
        "from=2031-01-01T10:00:00",
        "comedianId=x",
        "q=%00",
        f"q={'x' * 201}",
        "cursor=x",
        "cursor=W10",
        "cursor=WyJ4IiwieCJd",
        "cursor=%F0%9F%98%82",
    ],
)
def test_a_query_nobody_understands_is_refused(client: FlaskClient, query: str) -> None:
    assert fields_of(client.get(f"{SHOWS}?{query}"))


@pytest.mark.parametrize(
    "change", [{"sort": "price"}, {"sort": "newest"}, {"q": "open"}, {"minPrice": 1}]
)
def test_a_cursor_of_another_list_is_refused(
    client: FlaskClient, published: ShowFactory, city: str, change: dict[str, Any]
) -> None:
    published(city=city), published(city=city)
    query = {"city": city, "limit": 1}
    cursor = client.get(SHOWS, query_string=query).get_json()["nextCursor"]

    response = client.get(SHOWS, query_string={**query, "cursor": cursor, **change})

    assert fields_of(response) == {"cursor"}
    assert client.get(SHOWS, query_string={**query, "cursor": cursor}).status_code == 200


# ── publishing


def test_an_undecided_publication_is_202_and_the_show_stays_as_it_is(
    client: FlaskClient, draft: ShowFactory, owner: Actor, signed_in: Any
) -> None:
    path, headers = f"{SHOWS}/{draft(by=owner).id}", signed_in(owner)

    response = client.post(f"{path}/publish", headers={**headers, "X-Request-Timeout": "700"})

    answer = response.get_json()
    assert response.status_code == 202
    assert answer["show"]["isPublished"] is False
    assert answer["pendingChange"]["status"] == "OPEN"
    assert answer["pendingChange"]["wish"] == {"status": "PUBLISHED"}
    assert client.get(path).status_code == 404
    again = client.post(f"{path}/publish", headers=headers)
    assert (again.status_code, again.get_json()["code"]) == (409, "CHANGE_IN_PROGRESS")


def test_changes_are_listed_newest_first_with_their_outcome(
    client: FlaskClient, use: Wiring, draft: ShowFactory, owner: Actor, signed_in: Any
) -> None:
    show = draft(by=owner)
    refused = publish_show(use.begin, actor=owner, show_id=show.id, now=use.now())
    settle_change(use.begin, change_id=refused.id, refusal=Refusal("SOME_CODE", "Not now."))
    applied = publish_show(use.begin, actor=owner, show_id=show.id, now=use.now())
    settle_change(use.begin, change_id=applied.id, refusal=None)

    path = f"{SHOWS}/{show.id}/changes"
    listed = pages(client, path, "changes", query={"limit": 1}, headers=signed_in(owner))
    newest, oldest = (page[0] for page in listed)

    assert (newest["id"], newest["status"]) == (str(applied.id), "APPLIED")
    assert (oldest["status"], oldest["code"], oldest["reason"]) == (
        "REFUSED",
        "SOME_CODE",
        "Not now.",
    )
    assert oldest["requestedBy"] == str(owner.id)
    assert oldest["decidedAt"] is not None
    assert client.get(f"{SHOWS}/{show.id}").status_code == 200


def test_publishing_twice_is_a_conflict(
    client: FlaskClient, published: ShowFactory, owner: Actor, signed_in: Any
) -> None:
    show = published(by=owner)

    response = client.post(f"{SHOWS}/{show.id}/publish", headers=signed_in(owner))

    assert (response.status_code, response.get_json()["code"]) == (409, "ALREADY_PUBLISHED")
