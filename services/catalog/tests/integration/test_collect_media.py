"""Uploads that nothing shows are removed a day later; what is shown stays."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text

from catalog_service.clients.images import ImageConverter
from catalog_service.clients.storage import LocalDirectory
from catalog_service.domain.actors import Actor
from catalog_service.domain.comedians import Comedian, ComedianDetails
from catalog_service.domain.errors import ImageRefused, InvalidFields, StorageUnavailable
from catalog_service.domain.images import ImageFormat
from catalog_service.domain.media import Media, MediaKind
from catalog_service.domain.shows import Show
from catalog_service.usecases.collect_media import collect_media
from catalog_service.usecases.create_comedian import create_comedian
from catalog_service.usecases.edit_comedian import edit_comedian
from catalog_service.usecases.upload_image import upload_image
from catalog_service.wiring import Wiring
from devstack.testing import Databases
from service_kit.peers import PeerUnavailable
from service_kit.seeding import seed_id

ShowFactory = Callable[..., Show]
Upload = Callable[..., Media]
DAY = 24.0


@pytest.fixture
def owner() -> Actor:
    return Actor(id=uuid4(), role="ORGANIZER", approved=True)


@pytest.fixture
def comedian_with(use: Wiring, owner: Actor) -> Callable[[Media | None], Comedian]:
    def make(media: Media | None) -> Comedian:
        image = None if media is None else media.url
        details = ComedianDetails(name="Imran Baig", profile_image_url=image)
        return create_comedian(use.begin, actor=owner, details=details)

    return make


def pass_time(use: Wiring, media: Media, *, hours: float) -> None:
    """Have everything that was noted about an upload be this much longer ago."""
    with use.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE catalog.media SET created_at = created_at - :passed,"
                " unused_since = unused_since - :passed, review_at = review_at - :passed"
                " WHERE key = :key"
            ),
            {"passed": timedelta(hours=hours), "key": media.key},
        )


def review(use: Wiring, media: Media, *, is_picture: bool = False) -> None:
    with use.begin() as tx:
        tx.media.review([media.key], pictures=[media.key] if is_picture else [])


def is_condemned(use: Wiring, media: Media) -> bool:
    with use.engine.connect() as connection:
        return bool(
            connection.scalar(
                text("SELECT condemned_at IS NOT NULL FROM catalog.media WHERE key = :key"),
                {"key": media.key},
            )
        )


def test_an_upload_that_nothing_shows_is_condemned_after_a_day(
    use: Wiring, upload: Upload, owner: Actor
) -> None:
    media = upload(by=owner)

    pass_time(use, media, hours=DAY - 0.1)
    review(use, media)
    assert not is_condemned(use, media)

    pass_time(use, media, hours=0.2)
    review(use, media)
    assert is_condemned(use, media)


@pytest.mark.parametrize("shown_by", ["show", "comedian", "person"])
def test_what_is_shown_stays_and_goes_a_day_after_it_is_not_any_more(
    use: Wiring,
    upload: Upload,
    draft: ShowFactory,
    comedian_with: Callable[[Media | None], Comedian],
    owner: Actor,
    shown_by: str,
) -> None:
    media = upload(by=owner)
    show = draft(by=owner, poster_image_url=media.url if shown_by == "show" else None)
    comedian = comedian_with(media if shown_by == "comedian" else None)

    for _ in range(3):
        pass_time(use, media, hours=DAY)
        review(use, media, is_picture=shown_by == "person")
        assert not is_condemned(use, media)

    with use.engine.begin() as connection:
        connection.execute(text("DELETE FROM catalog.show WHERE id = :id"), {"id": show.id})
    changes = {"profile_image_url": None}
    edit_comedian(use.begin, actor=owner, comedian_id=comedian.id, changes=changes)
    pass_time(use, media, hours=DAY)
    review(use, media)
    assert not is_condemned(use, media)  # it may have been shown until a moment ago
    pass_time(use, media, hours=DAY)
    review(use, media)
    assert is_condemned(use, media)


def test_an_upload_that_is_condemned_while_it_is_being_used_is_either_kept_or_refused(
    use: Wiring, upload: Upload, comedian_with: Callable[[Media | None], Comedian], owner: Actor
) -> None:
    for _ in range(8):
        media = upload(by=owner)
        pass_time(use, media, hours=DAY)

        def show_it(media: Media = media) -> bool:
            try:
                comedian_with(media)
            except InvalidFields:
                return False
            return True

        with ThreadPoolExecutor(2) as people:
            shown = people.submit(show_it)
            people.submit(review, use, media).result()
        review(use, media)
        assert shown.result() != is_condemned(use, media)


def test_without_identity_nothing_is_decided(use: Wiring, upload: Upload, owner: Actor) -> None:
    media = upload(by=owner)
    pass_time(use, media, hours=2 * DAY)

    with pytest.raises(PeerUnavailable):
        collect_media(use.begin, use.people, use.storage)

    assert not is_condemned(use, media)
    review(use, media)  # leave nothing that is due to others


def test_a_condemned_upload_goes_object_first_whatever_is_killed_in_between(
    use: Wiring, upload: Upload, owner: Actor, tmp_path: Path
) -> None:
    medias = [upload(by=owner) for _ in range(2)]
    with use.begin() as tx:
        tx.media.condemn(media.key for media in medias)
    use.storage.delete(medias[0].key)  # the run before came so far
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")

    with pytest.raises(StorageUnavailable):
        collect_media(use.begin, use.people, LocalDirectory(in_the_way))
    assert all(is_condemned(use, media) for media in medias)
    collect_media(use.begin, use.people, use.storage)

    assert [use.storage.get(media.key) for media in medias] == [None, None]
    with use.read() as tx:
        assert not set(tx.media.condemned()) & {media.key for media in medias}


def test_an_upload_that_could_not_be_stored_is_removed(
    use: Wiring, owner: Actor, tmp_path: Path, picture: Callable[..., bytes]
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    broken = replace(use, storage=LocalDirectory(in_the_way))

    with pytest.raises(StorageUnavailable):
        upload_image(
            use.begin,
            use.images,
            broken.storage,
            actor=owner,
            kind=MediaKind.SHOW,
            content=picture(),
        )

    with use.engine.connect() as connection:
        left = connection.scalars(
            text("SELECT condemned_at IS NOT NULL FROM catalog.media WHERE owner_id = :id"),
            {"id": owner.id},
        ).all()
    assert left == [True]
    collect_media(use.begin, use.people, use.storage)


def test_a_decoder_that_runs_out_of_memory_or_time_refuses_the_image() -> None:
    with pytest.raises(ImageRefused):
        ImageConverter().to_webp(b"\x89PNG\r\n\x1a\n", ImageFormat.PNG)


def test_a_profile_picture_stays_and_what_else_its_owner_uploaded_goes(
    use: Wiring, connected: Wiring, upload: Upload, databases: Databases
) -> None:
    person = Actor(id=seed_id("user:comedian@comedy.example"), role="COMEDIAN", approved=True)
    picture, unused = upload(by=person), upload(by=person)
    nobodys = upload(by=Actor(id=uuid4(), role="AUDIENCE", approved=False))
    with psycopg.connect(databases.of("identity").owner_url) as identity:
        identity.execute(
            'UPDATE identity."user" SET image = %s WHERE id = %s', (picture.url, person.id)
        )
    for media in (picture, unused, nobodys):
        pass_time(use, media, hours=DAY)

    collect_media(use.begin, connected.people, use.storage)

    assert use.storage.get(picture.key)
    assert not is_condemned(use, picture)
    for media in (unused, nobodys):
        assert use.storage.get(media.key) is None
    with use.read() as tx:
        assert not tx.media.condemned()
