from collections.abc import Callable
from uuid import uuid4

import pytest

from catalog_service.domain.actors import Actor
from catalog_service.domain.comedians import Comedian, ComedianDetails
from catalog_service.domain.errors import AlreadyListed, InvalidFields, NotApproved
from catalog_service.domain.shows import Show, ShowStatus
from catalog_service.usecases.create_comedian import create_comedian
from catalog_service.wiring import Wiring
from service_kit.peers import PeerUnavailable

ShowFactory = Callable[..., Show]


def make_actor(role: str = "ORGANIZER", *, approved: bool = True) -> Actor:
    return Actor(id=uuid4(), role=role, approved=approved)


def listed(use: Wiring, *, own: bool = False, by: Actor | None = None) -> Comedian:
    actor = by or make_actor()
    return create_comedian(
        use.begin,
        actor=actor,
        details=ComedianDetails(name="Imran Baig"),
        user_id=actor.id if own else None,
    )


def test_a_new_show_is_a_draft_of_its_creator(use: Wiring, draft: ShowFactory) -> None:
    owner = make_actor()

    show = draft(by=owner, title="Dakhni Nights")

    with use.read() as tx:
        assert tx.shows.editable_by(owner, show.id) == show
    assert (show.status, show.creator_id) == (ShowStatus.DRAFT, owner.id)
    assert (show.details.title, show.details.city) == ("Dakhni Nights", "Hyderabad")


def test_the_bill_keeps_its_order_without_repeats(use: Wiring, draft: ShowFactory) -> None:
    ids = [listed(use).id for _ in range(3)]

    show = draft(comedian_ids=[ids[2], ids[0], ids[2], ids[1]])

    with use.read() as tx:
        bill = tx.comedians.bills([show.id])[show.id]
    assert [(place.order, place.comedian.id) for place in bill] == [
        (0, ids[2]),
        (1, ids[0]),
        (2, ids[1]),
    ]


def test_a_comedian_performs_in_the_own_show(use: Wiring, draft: ShowFactory) -> None:
    comedian = make_actor("COMEDIAN")
    entry, other = listed(use, own=True, by=comedian), listed(use)

    show = draft(by=comedian, comedian_ids=[other.id])
    placed_first = draft(by=comedian, comedian_ids=[entry.id, other.id])

    with use.read() as tx:
        bills = tx.comedians.bills([show.id, placed_first.id])
    assert [place.comedian.id for place in bills[show.id]] == [other.id, entry.id]
    assert [place.comedian.id for place in bills[placed_first.id]] == [entry.id, other.id]


def test_a_first_show_of_a_comedian_waits_for_identity(draft: ShowFactory) -> None:
    with pytest.raises(PeerUnavailable):
        draft(by=make_actor("COMEDIAN"))


def test_a_comedian_who_does_not_exist_is_refused_by_field(draft: ShowFactory) -> None:
    with pytest.raises(InvalidFields) as refusal:
        draft(comedian_ids=[uuid4()])

    assert refusal.value.members["errors"].keys() == {"comedianIds"}


@pytest.mark.parametrize("role", ["AUDIENCE", "ORGANIZER", "COMEDIAN"])
def test_who_is_not_approved_creates_nothing(use: Wiring, draft: ShowFactory, role: str) -> None:
    actor = make_actor(role, approved=False)

    with pytest.raises(NotApproved):
        draft(by=actor)
    with pytest.raises(NotApproved):
        listed(use, by=actor)


def test_a_person_has_one_own_entry(use: Wiring) -> None:
    comedian = make_actor("COMEDIAN")
    listed(use, own=True, by=comedian)

    with pytest.raises(AlreadyListed):
        listed(use, own=True, by=comedian)
