"""Public pages: kept for a moment, tagged, and never a personal one among them."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from prometheus_client import REGISTRY
from sqlalchemy import event

from catalog_service.api.kept_pages import KeptPages
from catalog_service.app import create_app, openapi
from catalog_service.domain.actors import Actor
from catalog_service.domain.comedians import ComedianDetails
from catalog_service.domain.shows import Show
from catalog_service.usecases.create_comedian import create_comedian
from catalog_service.wiring import Wiring
from service_kit.testing import TokenIssuer

ShowFactory = Callable[..., Show]
SHOWS = "/api/v1/shows"
ADMIN = Actor(id=uuid4(), role="ADMIN", approved=False)


@pytest.fixture
def pages() -> KeptPages:
    return KeptPages(seconds=3600, wait_seconds=0.01)


@pytest.fixture
def keeping(use: Wiring, pages: KeptPages) -> FlaskClient:
    """The app with pages that are kept for as long as the test lasts."""
    return create_app(use, pages=pages).test_client()


@pytest.fixture
def city() -> str:
    return f"City {uuid4().hex}"


@pytest.fixture
def owner() -> Actor:
    return Actor(id=uuid4(), role="ORGANIZER", approved=True)


@pytest.fixture
def signed_in(issuer: TokenIssuer) -> Callable[[Actor], dict[str, str]]:
    return lambda actor: issuer.user(actor.id, role=actor.role, approved=actor.approved)


@contextmanager
def statements(use: Wiring) -> Iterator[list[str]]:
    """Note every statement sent to the database."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        sent.append(statement)

    event.listen(use.engine, "before_cursor_execute", note)
    yield sent
    event.remove(use.engine, "before_cursor_execute", note)


def requests_counted(path: str) -> float:
    """Return how many requests to a route there have been."""
    route = SHOWS + path.replace("{id}", "<uuid:show_id>")
    return sum(
        sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == "http_request_duration_seconds_count" and sample.labels["route"] == route
    )


def documented(path: str) -> Draft202012Validator:
    """Return what checks an answer to GET `path` against the API document."""
    document = openapi()
    answer = document["paths"][path]["get"]["responses"]["200"]
    schema = answer["content"]["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": document["components"]})


@pytest.mark.parametrize("path", ["", "/{id}"])
def test_an_unchanged_page_is_not_sent_again(
    client: FlaskClient, published: ShowFactory, city: str, path: str
) -> None:
    show = published(city=city)
    url = SHOWS + (path.format(id=show.id) or f"?city={city}")
    first = client.get(url)

    again = client.get(url, headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data) == (304, b"")
    for answer in (first, again):
        assert answer.headers["Cache-Control"] == "public, no-cache"
        assert answer.headers["ETag"] == first.headers["ETag"]
    assert "Content-Type" not in again.headers
    for known in (f"W/{first.headers['ETag']}", f'"x", {first.headers["ETag"]}', "*"):
        assert client.get(url, headers={"If-None-Match": known}).status_code == 304
    for unknown in ('"x"', "x", '"', first.headers["ETag"].strip('"')[1:]):
        assert client.get(url, headers={"If-None-Match": unknown}).status_code == 200


def test_a_page_that_has_changed_has_another_tag(
    client: FlaskClient, published: ShowFactory, city: str
) -> None:
    published(city=city)
    before = client.get(f"{SHOWS}?city={city}")
    published(city=city)

    after = client.get(f"{SHOWS}?city={city}", headers={"If-None-Match": before.headers["ETag"]})

    assert after.status_code == 200
    assert after.headers["ETag"] != before.headers["ETag"]


def test_queries_that_mean_the_same_share_a_page(
    keeping: FlaskClient, published: ShowFactory, city: str, use: Wiring
) -> None:
    published(city=city)
    same = [
        {"city": city},
        {"city": city.upper(), "mode": "public", "limit": "100"},
        {"city": f" {city} ", "sort": "date", "q": "  ", "utm_source": "x"},
    ]
    first = keeping.get(SHOWS, query_string=same[0])

    with statements(use) as sent:
        answers = [keeping.get(SHOWS, query_string=query) for query in same * 2]

    assert sent == []
    assert {answer.data for answer in answers} == {first.data}


@pytest.mark.parametrize("path", ["", "/{id}"])
def test_what_is_answered_before_the_request_is_looked_at_is_what_its_route_answers(
    keeping: FlaskClient, published: ShowFactory, city: str, path: str
) -> None:
    url = SHOWS + (path.format(id=published(city=city).id) or f"?city={city}")
    first = keeping.get(url)
    before = requests_counted(path)

    again, known = (
        keeping.get(url),
        keeping.get(url, headers={"If-None-Match": first.headers["ETag"]}),
    )

    assert (again.status_code, again.data) == (200, first.data)
    assert {**again.headers, "X-Request-ID": ""} == {**first.headers, "X-Request-ID": ""}
    assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert (known.status_code, known.data) == (304, b"")
    assert "Content-Type" not in known.headers
    assert requests_counted(path) == before + 2  # as requests to the route


def test_who_shows_a_credential_is_looked_at_although_the_answer_is_known(
    keeping: FlaskClient, published: ShowFactory, city: str
) -> None:
    published(city=city)
    assert keeping.get(SHOWS, query_string={"city": city}).status_code == 200

    wrong = {"Authorization": "Bearer made-up"}
    assert keeping.get(SHOWS, query_string={"city": city}, headers=wrong).status_code == 401
    assert keeping.head(SHOWS, query_string={"city": city}).data == b""
    assert keeping.post(SHOWS, query_string={"city": city}, json={}).status_code == 401


@pytest.mark.parametrize(
    "change", [{"q": "x"}, {"limit": "7"}, {"sort": "price"}, {"maxPrice": "9"}, {"city": "x"}]
)
def test_queries_that_mean_something_else_do_not(
    keeping: FlaskClient, use: Wiring, city: str, change: dict[str, str]
) -> None:
    keeping.get(SHOWS, query_string={"city": city})

    with statements(use) as sent:
        keeping.get(SHOWS, query_string={"city": city, **change})

    assert sent != []


def test_what_is_personal_is_not_kept(
    keeping: FlaskClient, draft: ShowFactory, owner: Actor, signed_in: Any
) -> None:
    path, headers = f"{SHOWS}/{draft(by=owner).id}", signed_in(owner)

    for url in (path, f"{SHOWS}?mode=manage"):
        for _ in range(2):
            mine = keeping.get(url, headers=headers)
            assert mine.status_code == 200
            assert mine.headers["Cache-Control"] == "no-store"
            assert "ETag" not in mine.headers
    assert keeping.get(path).status_code == 404
    assert keeping.get(f"{SHOWS}?mode=manage").status_code == 401
    draft(by=owner)
    assert len(keeping.get(f"{SHOWS}?mode=manage", headers=headers).get_json()["shows"]) == 2


def test_a_creator_sees_the_own_show_as_it_is_not_as_it_was_kept(
    keeping: FlaskClient, published: ShowFactory, owner: Actor, signed_in: Any
) -> None:
    path = f"{SHOWS}/{published(by=owner).id}"
    public = keeping.get(path)

    mine = keeping.get(path, headers={**signed_in(owner), "If-None-Match": public.headers["ETag"]})

    assert (mine.status_code, mine.headers["Cache-Control"]) == (200, "no-store")


@pytest.mark.parametrize("role", ["AUDIENCE", "ORGANIZER"])
def test_others_who_are_signed_in_see_what_everybody_sees(
    keeping: FlaskClient, published: ShowFactory, draft: ShowFactory, signed_in: Any, role: str
) -> None:
    somebody = signed_in(Actor(id=uuid4(), role=role, approved=False))
    path = f"{SHOWS}/{published().id}"

    assert keeping.get(path, headers=somebody).get_json() == keeping.get(path).get_json()
    assert keeping.get(f"{SHOWS}/{draft().id}", headers=somebody).status_code == 404


def test_a_person_who_creates_no_shows_any_more_still_sees_the_own_draft(
    client: FlaskClient, draft: ShowFactory, owner: Actor, signed_in: Any
) -> None:
    path = f"{SHOWS}/{draft(by=owner).id}"
    now = Actor(id=owner.id, role="AUDIENCE", approved=False)

    answer = client.get(path, headers=signed_in(now))

    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")


def test_that_there_is_no_show_is_not_kept(keeping: FlaskClient, use: Wiring) -> None:
    missing = keeping.get(f"{SHOWS}/{uuid4()}")

    assert (missing.status_code, missing.headers["Cache-Control"]) == (404, "no-store")
    with statements(use) as sent:
        keeping.get(missing.request.path)
    assert sent != []


def test_a_page_that_somebody_builds_for_too_long_is_503(
    keeping: FlaskClient, pages: KeptPages, published: ShowFactory
) -> None:
    show = published()
    began, may_go_on = threading.Event(), threading.Event()

    def build() -> bytes:
        began.set()
        may_go_on.wait()
        return b"{}"

    with ThreadPoolExecutor(1) as others:
        others.submit(pages.get, ("show", show.id), build)
        began.wait()
        answer = keeping.get(f"{SHOWS}/{show.id}")
        may_go_on.set()

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.get_json()["code"] == "UNAVAILABLE"


@pytest.mark.parametrize("count", [1, 5])
def test_a_page_takes_as_many_statements_however_many_shows_it_has(
    client: FlaskClient, use: Wiring, published: ShowFactory, city: str, count: int
) -> None:
    bill = create_comedian(use.begin, actor=ADMIN, details=ComedianDetails(name="Imran Baig"))
    shows = [published(city=city, comedian_ids=[bill.id]) for _ in range(count)]

    with statements(use) as sent:
        client.get(f"{SHOWS}?city={city}")
    assert len(sent) == 3  # how to plan, the shows, their bills

    with statements(use) as sent:
        client.get(f"{SHOWS}/{shows[0].id}")
    assert len(sent) == 2


def test_answers_are_as_the_document_says(
    client: FlaskClient,
    use: Wiring,
    published: ShowFactory,
    owner: Actor,
    signed_in: Any,
    city: str,
) -> None:
    bill = create_comedian(
        use.begin,
        actor=ADMIN,
        details=ComedianDetails(name="Imran Baig", bio="x", youtube_urls=("https://youtu.be/x",)),
    )
    show = published(
        by=owner, city=city, comedian_ids=[bill.id], youtube_urls=("https://youtu.be/y",)
    )
    published(by=owner, city=city, starts_at=use.now() + timedelta(days=30))
    one, many = documented(f"{SHOWS}/{{show_id}}"), documented(SHOWS)

    page = client.get(f"{SHOWS}?city={city}&limit=1").get_json()
    many.validate(page)
    assert page["nextCursor"] is not None
    one.validate(client.get(f"{SHOWS}/{show.id}").get_json())
    one.validate(client.get(f"{SHOWS}/{show.id}", headers=signed_in(owner)).get_json())
    many.validate(client.get(f"{SHOWS}?mode=manage", headers=signed_in(owner)).get_json())
    del page["shows"][0]["title"]
    assert not many.is_valid(page)
