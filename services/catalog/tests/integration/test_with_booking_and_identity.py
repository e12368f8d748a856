"""The worker and the clients against the real booking and identity, through their failures too."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from catalog_service.app import create_app
from catalog_service.domain.actors import Actor
from catalog_service.domain.changes import ChangeStatus
from catalog_service.domain.offers import offer_of
from catalog_service.domain.shows import Show, ShowDetails, ShowStatus
from catalog_service.seed import SHOWS, move_ended_show, seed
from catalog_service.usecases.ask_booking import ask_booking
from catalog_service.usecases.await_change import await_change
from catalog_service.usecases.create_show import create_show
from catalog_service.usecases.mirror_offer import mirror_offer
from catalog_service.usecases.publish_show import publish_show
from catalog_service.usecases.settle_change import settle_change
from catalog_service.wiring import Wiring
from devstack.testing import eventually
from service_kit.peers import PeerUnavailable
from service_kit.seeding import seed_id
from service_kit.testing import TokenIssuer

PATIENCE_SECONDS = 60
ORGANIZER = Actor(id=seed_id("user:organizer@comedy.example"), role="ORGANIZER", approved=True)
COMEDIAN = Actor(id=seed_id("user:comedian@comedy.example"), role="COMEDIAN", approved=True)


@pytest.fixture(scope="module")
def use(connected: Wiring) -> Wiring:
    return connected


@pytest.fixture(scope="module")
def client(use: Wiring) -> FlaskClient:
    return create_app(use).test_client()


def draft(use: Wiring, *, by: Actor = ORGANIZER) -> Show:
    details = ShowDetails(
        title="Open Mic",
        starts_at=datetime.now(UTC) + timedelta(days=7),
        venue="Lamakaan",
        google_maps_link="https://goo.gl/maps/x",
        price_paise=49_900,
        capacity=40,
    )
    return create_show(
        use.begin, use.people, actor=by, details=details, comedian_ids=(), now=use.now()
    )


def stored(use: Wiring, show_id: UUID) -> Show:
    with use.read() as tx:
        show = tx.shows.find(show_id)
    assert show is not None
    return show


def test_booking_takes_an_offer_once_and_knows_old_versions(use: Wiring) -> None:
    first = offer_of(draft(use))
    second = replace(first, version=2, on_sale=True)

    assert use.offers.put(second) is None
    assert use.offers.put(second) is None
    outdated = use.offers.put(first)

    assert outdated is not None
    assert (outdated.code, outdated.held_version) == ("OUTDATED", 2)


def test_a_refusal_of_bookings_has_its_code(use: Wiring) -> None:
    offer = offer_of(draft(use))
    use.offers.put(offer)

    refusal = use.offers.put(replace(offer, title="Another show under the same version"))

    assert refusal is not None
    assert (refusal.code, refusal.held_version) == ("VERSION_CONFLICT", 0)


def test_an_answer_that_is_neither_yes_nor_no_decides_nothing(use: Wiring) -> None:
    with pytest.raises(PeerUnavailable):
        use.offers.put(replace(offer_of(draft(use)), version=0))


def test_a_show_is_mirrored_whatever_booking_holds(use: Wiring) -> None:
    show = draft(use)

    mirror_offer(use.read, use.offers, show_id=show.id)
    mirror_offer(use.read, use.offers, show_id=show.id)
    mirror_offer(use.read, use.offers, show_id=uuid4())
    assert _available(use, show) == 40

    use.offers.put(replace(offer_of(show), version=5, capacity=50))
    mirror_offer(use.read, use.offers, show_id=show.id)
    assert _available(use, show) == 50  # a later version stays


def test_a_show_that_booking_contradicts_is_logged_not_forced(use: Wiring) -> None:
    show = draft(use)
    use.offers.put(replace(offer_of(show), capacity=50))

    mirror_offer(use.read, use.offers, show_id=show.id)

    assert _available(use, show) == 50


def _available(use: Wiring, show: Show) -> int:
    time.sleep(1.01)  # figures are remembered for a second
    figures = use.availability.of_shows([show.id])[show.id]
    assert figures is not None
    return figures.available


@pytest.mark.usefixtures("worker")
def test_a_published_show_is_on_sale_and_complete(use: Wiring, client: FlaskClient) -> None:
    show = draft(use)
    change = publish_show(use.begin, actor=ORGANIZER, show_id=show.id, now=use.now())

    change = await_change(use.read, change_id=change.id, seconds=PATIENCE_SECONDS)

    assert change.status is ChangeStatus.APPLIED
    answer = client.get(f"/api/v1/shows/{show.id}").get_json()["show"]
    assert answer["ticketInventory"] == {"available": 40}
    assert answer["_count"] == {"bookings": 0}
    assert answer["creator"] == {
        "id": str(ORGANIZER.id),
        "name": "Laughing Buddha Nights",
        "role": "ORGANIZER_VERIFIED",
    }


@pytest.mark.usefixtures("worker")
def test_a_publication_waits_for_booking_and_then_goes_on(
    use: Wiring, client: FlaskClient, neighbours: Any, issuer: TokenIssuer
) -> None:
    show = draft(use)
    headers = issuer.user(ORGANIZER.id, role=ORGANIZER.role, approved=True)
    neighbours.stop("booking")

    undecided = client.post(
        f"/api/v1/shows/{show.id}/publish", headers={**headers, "X-Request-Timeout": "2000"}
    )
    neighbours.start("booking")

    assert undecided.status_code == 202
    assert undecided.get_json()["show"]["ticketInventory"] is None
    eventually(lambda: stored(use, show.id).status is ShowStatus.PUBLISHED)
    done = client.get(f"/api/v1/shows/{show.id}/changes", headers=headers).get_json()["changes"]
    assert [change["status"] for change in done] == ["APPLIED"]


@pytest.mark.usefixtures("worker")
def test_what_booking_refuses_is_dropped_and_can_be_tried_again(
    use: Wiring, client: FlaskClient, issuer: TokenIssuer
) -> None:
    show = draft(use)
    headers = issuer.user(ORGANIZER.id, role=ORGANIZER.role, approved=True)
    # Booking is ahead of us, as after our database came back from a backup.
    use.offers.put(replace(offer_of(show), version=9, title="From the future"))

    refused = client.post(f"/api/v1/shows/{show.id}/publish", headers=headers)

    assert (refused.status_code, refused.get_json()["code"]) == (409, "OUTDATED")
    assert (stored(use, show.id).status, stored(use, show.id).version) == (ShowStatus.DRAFT, 10)
    again = publish_show(use.begin, actor=ORGANIZER, show_id=show.id, now=use.now())
    again = await_change(use.read, change_id=again.id, seconds=PATIENCE_SECONDS)
    assert again.status is ChangeStatus.APPLIED


def test_ones_own_sales_are_shown(use: Wiring, client: FlaskClient, issuer: TokenIssuer) -> None:
    owner = Actor(id=uuid4(), role="ORGANIZER", approved=True)
    show = draft(use, by=owner)
    mirror_offer(use.read, use.offers, show_id=show.id)
    headers = issuer.user(owner.id, role=owner.role, approved=True)

    def stats() -> object:
        (answer,) = client.get("/api/v1/shows?mode=manage", headers=headers).get_json()["shows"]
        return answer["stats"]

    eventually(lambda: stats() is not None)  # booking was down: it is asked beside the requests
    assert stats() == {"ticketsSold": 0, "revenue": 0}


def test_a_comedians_first_show_makes_the_own_entry(use: Wiring) -> None:
    with ThreadPoolExecutor(4) as requests:
        shows = list(requests.map(lambda _: draft(use, by=COMEDIAN), range(4)))

    with use.read() as tx:
        bills = tx.comedians.bills(show.id for show in shows)
    first, *others = (bills[show.id] for show in shows)
    assert [place.comedian.details.name for place in first] == ["Sravya Rao"]
    assert others == [first] * 3


def test_a_change_is_asked_about_again_without_harm(use: Wiring) -> None:
    show = draft(use)
    change = publish_show(use.begin, actor=ORGANIZER, show_id=show.id, now=use.now())

    assert ask_booking(use.read, use.offers, change_id=change.id) is None
    assert ask_booking(use.read, use.offers, change_id=change.id) is None
    settle_change(use.begin, change_id=change.id, refusal=None)

    assert stored(use, show.id).version == change.version


@pytest.mark.usefixtures("worker")
def test_the_season_is_made_once_however_often_it_is_seeded(use: Wiring) -> None:
    assert seed(use) == "8 comedians, 20 shows (20 new)"
    made = _season(use)
    assert seed(use) == "8 comedians, 20 shows (0 new)"
    assert _season(use) == made
    assert [show.status for show in made].count(ShowStatus.PUBLISHED) == 19

    for _ in range(2):
        assert move_ended_show(use) == "the ended show is over"
    ended = stored(use, seed_id("show:ended"))
    assert ended.details.starts_at < use.now()
    assert ended.status is ShowStatus.PUBLISHED


def _season(use: Wiring) -> list[Show]:
    return [stored(use, seed_id(f"show:{show.slug}")) for show in SHOWS]
