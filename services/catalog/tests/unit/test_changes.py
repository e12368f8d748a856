from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from catalog_service.domain.changes import (
    ChangeKind,
    ChangeStatus,
    OwnFee,
    ShowChange,
    Wish,
    status_after,
    wished,
)
from catalog_service.domain.errors import (
    AlreadyPublished,
    CatalogError,
    NotPublished,
    ShowCancelled,
)
from catalog_service.domain.offers import offer_of
from catalog_service.domain.shows import Show, ShowDetails, ShowStatus

NOW = datetime(2026, 8, 22, 14, 30, tzinfo=UTC)

DRAFT, PUBLISHED, CANCELLED = ShowStatus.DRAFT, ShowStatus.PUBLISHED, ShowStatus.CANCELLED

LIFE: dict[tuple[ShowStatus, ChangeKind], ShowStatus | type[CatalogError] | None] = {
    (DRAFT, ChangeKind.PUBLISH): PUBLISHED,
    (DRAFT, ChangeKind.UNPUBLISH): NotPublished,
    (DRAFT, ChangeKind.EDIT): DRAFT,
    (DRAFT, ChangeKind.RESCHEDULE): DRAFT,
    (DRAFT, ChangeKind.SET_FEE): DRAFT,
    (DRAFT, ChangeKind.CANCEL): NotPublished,
    (DRAFT, ChangeKind.DELETE): None,
    (PUBLISHED, ChangeKind.PUBLISH): AlreadyPublished,
    (PUBLISHED, ChangeKind.UNPUBLISH): DRAFT,
    (PUBLISHED, ChangeKind.EDIT): PUBLISHED,
    (PUBLISHED, ChangeKind.RESCHEDULE): PUBLISHED,
    (PUBLISHED, ChangeKind.SET_FEE): PUBLISHED,
    (PUBLISHED, ChangeKind.CANCEL): CANCELLED,
    (PUBLISHED, ChangeKind.DELETE): None,
    (CANCELLED, ChangeKind.PUBLISH): ShowCancelled,
    (CANCELLED, ChangeKind.UNPUBLISH): ShowCancelled,
    (CANCELLED, ChangeKind.EDIT): ShowCancelled,
    (CANCELLED, ChangeKind.RESCHEDULE): ShowCancelled,
    (CANCELLED, ChangeKind.SET_FEE): ShowCancelled,
    (CANCELLED, ChangeKind.CANCEL): ShowCancelled,
    (CANCELLED, ChangeKind.DELETE): None,
}

SHOW = Show(
    id=UUID(int=1),
    details=ShowDetails(
        title="Open Mic",
        starts_at=NOW,
        venue="Lamakaan",
        google_maps_link="https://goo.gl/maps/x",
        price_paise=19_900,
        capacity=80,
    ),
    status=ShowStatus.DRAFT,
    creator_id=UUID(int=2),
    platform_fee_basis_points=None,
    version=3,
    created_at=NOW,
    updated_at=NOW,
)
PUBLICATION = ShowChange(
    id=UUID(int=3),
    show_id=SHOW.id,
    kind=ChangeKind.PUBLISH,
    wish=Wish(status=ShowStatus.PUBLISHED),
    version=5,
    status=ChangeStatus.OPEN,
    refusal_code=None,
    refusal_text=None,
    actor_id=SHOW.creator_id,
    requested_at=NOW,
    decided_at=None,
)


@pytest.mark.parametrize(("status", "kind"), list(product(ShowStatus, ChangeKind)))
def test_every_step_of_a_shows_life_is_allowed_or_refused_by_name(
    status: ShowStatus, kind: ChangeKind
) -> None:
    expected = LIFE[status, kind]

    if isinstance(expected, type):
        with pytest.raises(expected):
            status_after(status, kind)
    else:
        assert status_after(status, kind) is expected


def test_a_publication_opens_the_offer_and_changes_nothing_else() -> None:
    before, after = offer_of(SHOW), offer_of(wished(SHOW, PUBLICATION))

    assert not before.on_sale
    assert after == replace(before, on_sale=True, version=5)


def test_a_new_date_changes_the_date_only() -> None:
    later = NOW + timedelta(days=1)
    change = replace(
        PUBLICATION, kind=ChangeKind.RESCHEDULE, wish=Wish(details={"starts_at": later})
    )

    assert offer_of(wished(SHOW, change)) == replace(offer_of(SHOW), starts_at=later, version=5)


def test_a_fee_of_its_own_changes_the_fee_only() -> None:
    change = replace(PUBLICATION, kind=ChangeKind.SET_FEE, wish=Wish(fee=OwnFee(550)))
    back = replace(change, wish=Wish(fee=OwnFee(None)), version=6)
    own = wished(SHOW, change)

    assert offer_of(own) == replace(offer_of(SHOW), platform_fee_basis_points=550, version=5)
    assert wished(own, replace(back, version=3)) == SHOW


@pytest.mark.parametrize("status", list(ShowStatus))
def test_only_a_published_show_is_on_sale(status: ShowStatus) -> None:
    assert offer_of(replace(SHOW, status=status)).on_sale is (status is ShowStatus.PUBLISHED)
