"""A person is purged: nothing names the person afterwards, and others keep what is theirs."""

import base64
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Barrier, Event
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from catalog_service import models
from catalog_service.app import create_app
from catalog_service.clients.storage import LocalDirectory, Storage
from catalog_service.domain.actors import Actor
from catalog_service.domain.changes import ShowChange
from catalog_service.domain.comedians import ComedianDetails
from catalog_service.domain.deletions import Deletion, DeletionState
from catalog_service.domain.edits import Edit
from catalog_service.domain.errors import AccountClosed, InvalidFields, ShowNotFound
from catalog_service.domain.media import STORING_TAKES, Media, MediaKind
from catalog_service.domain.shows import Show
from catalog_service.domain.standings import Standing
from catalog_service.repositories.people import NAMING
from catalog_service.usecases.ask_booking import ask_booking
from catalog_service.usecases.collect_media import collect_media
from catalog_service.usecases.create_comedian import create_comedian
from catalog_service.usecases.edit_comedian import edit_comedian
from catalog_service.usecases.edit_show import edit_show
from catalog_service.usecases.mirror_offer import mirror_offer
from catalog_service.usecases.publish_show import publish_show
from catalog_service.usecases.purge_person import purge_person
from catalog_service.usecases.settle_change import settle_change
from catalog_service.usecases.take_standing import take_standing
from catalog_service.usecases.unpublish_show import unpublish_show
from catalog_service.usecases.upload_image import upload_image
from catalog_service.wiring import Wiring
from service_kit.testing import TokenIssuer

Tell = Callable[[str, UUID, UUID], Any]
ShowFactory = Callable[..., Show]
Upload = Callable[..., Media]

ADMIN = Actor(id=uuid4(), role="ADMIN", approved=False)

# What becomes of each column. Where a person's id is, it goes; what the person has said goes with
# the row, or is said about somebody else, or is nobody's.
GOES = "names a person: goes"
WITH_SHOW = "goes with the show"
WITH_ENTRY = "goes with the entry, unless another's show uses it: then cleared if it is the own one"
WITH_UPLOAD = "goes with the upload"
OF_CHANGE = "goes with the person's shows; of others' shows it is about these"
NOBODYS = "is about nobody"


def each_of(names: str, becomes: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), becomes)


COLUMNS: dict[str, dict[str, str]] = {
    "show": {
        "creator_id": GOES,
        "poster_image_url": "goes with the show; off others' shows if it is the person's upload",
        **each_of(
            "id status title description starts_at duration_minutes venue city google_maps_link"
            " price_paise capacity youtube_urls instagram_urls platform_fee_basis_points version"
            " created_at updated_at",
            WITH_SHOW,
        ),
    },
    "show_search": each_of("show_id document words", WITH_SHOW),
    "show_comedian": each_of("show_id comedian_id position", WITH_SHOW),
    "creator_standing": {
        "creator_id": GOES,
        **each_of("allowed version updated_at", "goes with the row"),
    },
    "comedian": {
        "created_by": GOES,
        "user_id": GOES,
        "profile_image_url": f"{WITH_ENTRY}; off others' entries if it is the person's upload",
        **each_of(
            "id name stage_name bio promo_video_url social_links youtube_urls instagram_urls"
            " created_at updated_at",
            WITH_ENTRY,
        ),
    },
    "show_change": {
        "actor_id": GOES,
        **each_of(
            "id show_id kind wish version status refusal_code refusal_text requested_at decided_at",
            OF_CHANGE,
        ),
    },
    "media": {
        "owner_id": GOES,
        **each_of(
            "key kind size sha256 created_at stored_at unused_since review_at condemned_at",
            WITH_UPLOAD,
        ),
    },
    "fenced_person": {"person_id": "names a person: goes with the end of the purge"},
    "account_deletion": {
        "person_hash": "the keyed hash, from which nobody gets back to the person",
        **each_of("saga_id state counts created_at ended_at", NOBODYS),
    },
    "rate_count": {
        "digest": "a keyed hash, gone after three minutes",
        **each_of("ends_at total", NOBODYS),
    },
}


@pytest.fixture
def person() -> Actor:
    return Actor(id=uuid4(), role="COMEDIAN", approved=True)


def an_organizer() -> Actor:
    return Actor(id=uuid4(), role="ORGANIZER", approved=True)


@dataclass(frozen=True)
class Life:
    """What a person has done here, and what others have made of it."""

    person: Actor
    own: list[Show]
    entry: UUID  # the person's own one, on the bill of another's show
    friend: UUID  # about somebody else, on the bill of another's show
    unused: UUID
    others: Show  # with the person's entries on its bill and the person's upload as poster
    uploads: list[Media]


@pytest.fixture
def live(
    use: Wiring, draft: ShowFactory, published: ShowFactory, upload: Upload
) -> Callable[[Actor], Life]:
    def make(person: Actor) -> Life:
        mark = f"mark{person.id.hex}"
        as_admin = replace(person, role="ADMIN")
        uploads = [upload(by=person, kind=kind) for kind in [*MediaKind, MediaKind.SHOW]]
        entry, friend, unused = (
            create_comedian(
                use.begin,
                actor=person,
                details=ComedianDetails(name=name, bio=bio, profile_image_url=image.url),
                user_id=user_id,
            ).id
            for name, bio, image, user_id in (
                (f"{mark} Baig", f"{mark} was born", uploads[1], person.id),
                ("A Friend", "Funny", uploads[1], None),
                (mark, None, uploads[1], None),
            )
        )
        own = [
            published(
                by=person,
                title=f"{mark} Live",
                poster_image_url=uploads[0].url,
                comedian_ids=[entry, friend, unused],
            ),
            draft(by=person, description=f"about {mark}"),
        ]
        others = published(by=an_organizer(), comedian_ids=[entry, friend])
        edit = Edit({"poster_image_url": uploads[3].url})
        edit_show(
            use.begin,
            actor=as_admin,
            show_id=others.id,
            edit=edit,
            seen_version=None,
            now=use.now(),
        )
        change = unpublish_show(use.begin, actor=as_admin, show_id=others.id)
        settle_change(use.begin, change_id=change.id, refusal=None)
        take_standing(use.begin, standing=Standing(person.id, allowed=True, version=3))
        return Life(person, own, entry, friend, unused, others, uploads)

    return make


@pytest.fixture
def purge(tell: Tell) -> Callable[..., Any]:
    """Purge somebody as identity does: again and again until nothing is left."""

    def until_done(person: Actor, saga_id: UUID | None = None) -> Any:
        saga_id = saga_id or uuid4()
        for _ in range(50):
            answer = tell("purge", saga_id, person.id)
            if answer["state"] == "PURGED":
                return answer
            assert answer["state"] == "PURGING", answer
        raise AssertionError("it never ends")

    return until_done


def rows(use: Wiring) -> Iterator[str]:
    """Yield all that is stored, in rows; of durable work also what is encoded in it."""
    tables = [table.fullname for table in models.Base.metadata.sorted_tables]
    with use.engine.connect() as connection:
        tables += connection.scalars(
            text(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
                " WHERE schemaname = 'catalog_workflows'"
            )
        )
        for table in tables:
            for row in connection.execute(text(f"SELECT * FROM {table}")).mappings():  # noqa: S608
                yield f"{table} {dict(row)}"
                for value in row.values():
                    with suppress(ValueError, TypeError):
                        decoded = base64.b64decode(value, validate=True)
                        yield f"{table} {decoded.decode(errors='replace')}"


def naming(use: Wiring, *words: str) -> list[str]:
    return [row for row in rows(use) if any(word in row.lower() for word in words)]


def files(use: Wiring) -> set[str]:
    assert isinstance(use.storage, LocalDirectory)
    return {file.name for file in use.storage._folder.iterdir()}


def entry_of(use: Wiring, comedian_id: UUID) -> dict[str, Any]:
    with use.engine.connect() as connection:
        query = text("SELECT * FROM catalog.comedian WHERE id = :id")
        return dict(connection.execute(query, {"id": comedian_id}).mappings().one())


def show_of(use: Wiring, show_id: UUID) -> Show | None:
    with use.read() as tx:
        return tx.shows.find(show_id)


# ── what is covered


def test_every_column_is_known_to_go_or_to_name_nobody() -> None:
    tables = models.Base.metadata.sorted_tables
    columns = {table.name: set(table.columns.keys()) for table in tables}

    assert columns == {name: set(treated) for name, treated in COLUMNS.items()}


def test_every_column_that_names_a_person_is_asked_before_a_purge_ends() -> None:
    declared = {
        (table, column)
        for table, columns in COLUMNS.items()
        for column, becomes in columns.items()
        if becomes == GOES
    }

    assert {(column.class_.__table__.name, column.key) for column in NAMING} == declared


# ── what goes and what stays


def test_after_a_purge_nothing_that_is_stored_names_the_person(
    use: Wiring, live: Callable[[Actor], Life], tell: Tell, purge: Any, person: Actor
) -> None:
    life, saga = live(person), uuid4()
    words = (str(person.id), person.id.hex, *(media.key for media in life.uploads))
    assert len(naming(use, *words)) > 10
    assert {media.key for media in life.uploads} <= files(use)
    tell("fence", saga, person.id)

    answer = purge(person, saga)

    assert naming(use, *words) == []
    assert not {media.key for media in life.uploads} & files(use)
    assert answer["counts"] == {
        "imagesDeleted": 4,
        "showsDeleted": 2,
        "comediansDeleted": 1,
        "comediansAnonymised": 2,
        "imagesTakenOff": 2,
        "changesAnonymised": 1,
    }
    assert tell("purge", saga, person.id) == answer
    assert tell("fence", saga, person.id) == answer
    assert tell("lift", saga, person.id) == answer


def test_what_others_have_stays_without_the_person(
    use: Wiring,
    client: FlaskClient,
    issuer: TokenIssuer,
    live: Callable[[Actor], Life],
    purge: Any,
    person: Actor,
) -> None:
    life = live(person)
    before = entry_of(use, life.friend)

    purge(person)

    assert [show_of(use, show.id) for show in life.own] == [None, None]
    with use.read() as tx:
        assert tx.comedians.bill(life.others.id) == (life.entry, life.friend)
        assert tx.comedians.known([life.unused]) == set()
    own = entry_of(use, life.entry)
    assert own.pop("name") == "Former performer"
    kept = {own.pop(name) for name in ("id", "created_at", "updated_at")}
    assert life.entry in kept
    assert [value for value in own.values() if value] == []
    friend = entry_of(use, life.friend)
    changed = {name for name in friend if friend[name] != before[name]}
    assert changed == {"created_by", "profile_image_url", "updated_at"}
    others = client.get(
        f"/api/v1/shows/{life.others.id}/changes",
        headers=issuer.user(life.others.creator_id, role="ORGANIZER", approved=True),
    ).get_json()
    assert [(each["kind"], each["requestedBy"] is None) for each in others["changes"]] == [
        ("UNPUBLISH", True),
        ("PUBLISH", False),
    ]
    page = client.get("/api/v1/admin/comedians", headers=issuer.admin(ADMIN.id)).get_json()
    assert {each["id"]: each["creator"] for each in page["comedians"]}[str(life.friend)] is None


def test_a_poster_that_goes_from_anothers_show_goes_from_what_booking_shows_too(
    use: Wiring, live: Callable[[Actor], Life], purge: Any, person: Actor
) -> None:
    life = live(person)
    before = show_of(use, life.others.id)

    purge(person)

    after = show_of(use, life.others.id)
    assert before is not None
    assert after is not None
    assert after.details == replace(before.details, poster_image_url=None)
    assert after.version == before.version + 1
    assert any(f"mirror:{after.id}:{after.version}" in row for row in rows(use))


def test_a_show_with_the_former_performer_is_found_by_that_name_and_not_by_the_old_one(
    use: Wiring, client: FlaskClient, published: ShowFactory, purge: Any, person: Actor
) -> None:
    name = f"Zork{uuid4().hex}"
    entry = create_comedian(
        use.begin, actor=person, details=ComedianDetails(name=name), user_id=person.id
    )
    city = f"City {uuid4().hex}"
    show = published(city=city, comedian_ids=[entry.id])

    def found(words: str) -> list[str]:
        query = {"q": words, "city": city}
        shows = client.get("/api/v1/shows", query_string=query).get_json()["shows"]
        return [each["id"] for each in shows]

    assert found(name) == [str(show.id)]
    purge(person)
    assert found(name) == []
    assert found("former performer") == [str(show.id)]


# ── order and repetition


def test_a_purge_needs_no_fence_and_takes_over_that_of_another_deletion(
    use: Wiring, live: Callable[[Actor], Life], tell: Tell, purge: Any, person: Actor
) -> None:
    live(person)
    before = uuid4()
    tell("fence", before, person.id)

    answer = purge(person)

    assert naming(use, str(person.id)) == []
    assert tell("fence", before, person.id)["state"] == "LIFTED"
    assert tell("purge", uuid4(), person.id) == answer
    assert tell("fence", uuid4(), person.id)["code"] == "ANOTHER_DELETION"


def test_a_lifted_deletion_purges_nobody(
    live: Callable[[Actor], Life], tell: Tell, everything: Any, person: Actor
) -> None:
    live(person)
    saga, before = uuid4(), everything()
    tell("lift", saga, person.id)

    assert tell("purge", saga, person.id)["state"] == "LIFTED"
    assert everything() == before


def test_there_is_no_way_back_from_a_purge_that_has_begun(
    use: Wiring, tell: Tell, purge: Any, draft: ShowFactory, person: Actor
) -> None:
    show, saga = draft(), uuid4()
    publish = publish_show(
        use.begin, actor=replace(person, role="ADMIN"), show_id=show.id, now=use.now()
    )

    assert tell("purge", saga, person.id)["state"] == "PURGING"
    assert tell("lift", saga, person.id)["state"] == "PURGING"
    assert tell("fence", saga, person.id)["state"] == "PURGING"
    with pytest.raises(AccountClosed):
        draft(by=replace(person, role="ORGANIZER"))
    settle_change(use.begin, change_id=publish.id, refusal=None)
    purge(person, saga)


def test_an_open_change_of_anothers_show_is_decided_before_its_actor_is_forgotten(
    use: Wiring, tell: Tell, purge: Any, published: ShowFactory, upload: Upload, person: Actor
) -> None:
    admin, saga = replace(person, role="ADMIN"), uuid4()
    show, image = published(), upload(by=person, kind=MediaKind.SHOW)

    def wish(actor: Actor, **details: Any) -> ShowChange:
        change = edit_show(
            use.begin,
            actor=actor,
            show_id=show.id,
            edit=Edit(details),
            seen_version=None,
            now=use.now(),
        )
        assert change is not None
        return change

    first = wish(admin, capacity=60)
    assert tell("purge", saga, person.id)["state"] == "PURGING"
    with use.read() as tx:
        kept = tx.changes.find(first.id)
    assert kept is not None
    assert kept.actor_id == person.id
    settle_change(use.begin, change_id=first.id, refusal=None)
    purge(person, saga)

    after = show_of(use, show.id)
    assert after is not None
    assert after.details.capacity == 60
    assert image.key not in files(use)
    assert naming(use, str(person.id)) == []


def test_an_upload_that_an_open_change_wants_is_taken_off_once_that_is_decided(
    use: Wiring, tell: Tell, purge: Any, published: ShowFactory, upload: Upload, person: Actor
) -> None:
    show, image, saga = published(), upload(by=person, kind=MediaKind.SHOW), uuid4()
    change = edit_show(
        use.begin,
        actor=ADMIN,
        show_id=show.id,
        edit=Edit({"poster_image_url": image.url, "capacity": 60}),
        seen_version=None,
        now=use.now(),
    )
    assert change is not None

    assert tell("purge", saga, person.id)["state"] == "PURGING"
    with suppress(Exception):
        collect_media(use.begin, use.people, use.storage)
    assert image.key in files(use)
    settle_change(use.begin, change_id=change.id, refusal=None)
    purge(person, saga)

    after = show_of(use, show.id)
    assert after is not None
    assert (after.details.capacity, after.details.poster_image_url) == (60, None)
    assert image.key not in files(use)


# ── what is late


def test_work_on_shows_that_are_gone_ends_well(
    use: Wiring, purge: Any, draft: ShowFactory, person: Actor
) -> None:
    person = replace(person, role="ORGANIZER")
    show = draft(by=person)
    change = publish_show(use.begin, actor=person, show_id=show.id, now=use.now())

    purge(person)

    assert ask_booking(use.read, use.offers, change_id=change.id) is None
    settle_change(use.begin, change_id=change.id, refusal=None)
    mirror_offer(use.read, use.offers, show_id=show.id)
    assert naming(use, str(person.id)) == []


def test_news_of_somebody_who_is_gone_are_taken_and_not_stored(
    use: Wiring, client: FlaskClient, issuer: TokenIssuer, purge: Any, person: Actor
) -> None:
    purge(person)

    answer = client.put(
        f"/internal/creators/{person.id}/standing",
        json={"allowed": False, "version": 7},
        headers=issuer.service("identity", audience="catalog", scope="catalog:standing:write"),
    )

    assert (answer.status_code, answer.get_json()) == (200, {"applied": True, "version": 7})
    assert naming(use, str(person.id)) == []


def test_somebody_who_is_gone_writes_nothing(
    use: Wiring, purge: Any, draft: ShowFactory, upload: Upload, person: Actor, everything: Any
) -> None:
    admin, show = replace(person, role="ADMIN"), draft()
    purge(person)
    before, stored = everything(), files(use)

    attempts: list[Callable[[], object]] = [
        partial(draft, by=replace(person, role="ORGANIZER")),
        partial(upload, by=person),
        partial(
            create_comedian, use.begin, actor=person, details=ComedianDetails(name="Imran Baig")
        ),
        partial(publish_show, use.begin, actor=admin, show_id=show.id, now=use.now()),
    ]
    for attempt in attempts:
        with pytest.raises(AccountClosed):
            attempt()

    assert everything() == before
    assert files(use) == stored


# ── at the same moment


def test_whatever_the_person_does_at_the_moment_of_the_purge_leaves_nothing(
    use: Wiring, purge: Any, draft: ShowFactory, upload: Upload
) -> None:
    for _ in range(5):
        person, at_once = an_organizer(), Barrier(6)
        show, stored = draft(by=person), files(use)
        entry = create_comedian(use.begin, actor=person, details=ComedianDetails(name="Zoya"))

        def attempt(do: Callable[[], object], at_once: Barrier = at_once) -> None:
            at_once.wait()
            with suppress(AccountClosed, ShowNotFound, InvalidFields):
                do()

        actions: list[Callable[[], object]] = [
            partial(draft, by=person, comedian_ids=[entry.id]),
            partial(publish_show, use.begin, actor=person, show_id=show.id, now=use.now()),
            partial(create_comedian, use.begin, actor=person, details=ComedianDetails(name="Z")),
            partial(upload, by=person),
            partial(draft, comedian_ids=[entry.id]),  # somebody else's
        ]
        with ThreadPoolExecutor(5) as people:
            under_way = [people.submit(attempt, each) for each in actions]
            at_once.wait()
            saga = uuid4()
            with suppress(AssertionError):  # while an upload is under way it does not end
                purge(person, saga)
            for each in under_way:
                each.result()
        purge(person, saga)
        assert naming(use, str(person.id)) == []
        assert files(use) == stored


def test_purges_at_the_same_moment_do_it_once(
    use: Wiring, live: Callable[[Actor], Life], tell: Tell, person: Actor
) -> None:
    live(person)
    saga = uuid4()

    with ThreadPoolExecutor(4) as calls:
        list(calls.map(lambda _: tell("purge", saga, person.id), range(4)))

    answer = tell("purge", saga, person.id)
    assert answer["state"] == "PURGED"
    assert (answer["counts"]["showsDeleted"], answer["counts"]["imagesDeleted"]) == (2, 4)
    assert naming(use, str(person.id)) == []


def test_an_entry_that_is_put_on_a_bill_at_the_moment_of_the_purge_is_gone_or_nameless(
    use: Wiring, purge: Any, draft: ShowFactory, person: Actor
) -> None:
    for _ in range(6):
        somebody, at_once = replace(person, id=uuid4()), Barrier(2)
        entry = create_comedian(
            use.begin,
            actor=somebody,
            details=ComedianDetails(name="Imran Baig"),
            user_id=somebody.id,
        )

        def announce(entry_id: UUID = entry.id, at_once: Barrier = at_once) -> Show | None:
            at_once.wait()
            with suppress(InvalidFields):
                return draft(comedian_ids=[entry_id])
            return None

        with ThreadPoolExecutor(1) as others:
            announced = others.submit(announce)
            at_once.wait()
            purge(somebody)
            show = announced.result()
        if show is not None:
            assert entry_of(use, entry.id)["name"] == "Former performer"
        assert naming(use, str(somebody.id)) == []


def test_an_edit_at_the_moment_of_the_purge_does_not_bring_the_name_back(
    use: Wiring, purge: Any, draft: ShowFactory, person: Actor
) -> None:
    entry = create_comedian(
        use.begin, actor=person, details=ComedianDetails(name="Imran Baig"), user_id=person.id
    )
    draft(comedian_ids=[entry.id])
    purge(person)

    edit_comedian(use.begin, actor=ADMIN, comedian_id=entry.id, changes={"bio": "Retired"})

    assert entry_of(use, entry.id)["name"] == "Former performer"


# ── files


class SlowStorage:
    """The storage, with somebody in the way between the note of an upload and its file."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.reached, self.go_on = Event(), Event()

    def put(self, key: str, content: bytes) -> None:
        self.reached.set()
        assert self.go_on.wait(20)
        self._storage.put(key, content)

    def get(self, key: str) -> bytes | None:
        return self._storage.get(key)

    def delete(self, key: str) -> None:
        self._storage.delete(key)


@pytest.mark.parametrize("is_long", [False, True], ids=["soon", "after its time"])
def test_an_upload_that_is_stored_after_the_purge_has_begun_leaves_no_file(
    use: Wiring,
    tell: Tell,
    purge: Any,
    picture: Callable[..., bytes],
    person: Actor,
    is_long: bool,
) -> None:
    slow, saga, stored = SlowStorage(use.storage), uuid4(), files(use)

    def send() -> None:
        upload_image(
            use.begin, use.images, slow, actor=person, kind=MediaKind.PROFILE, content=picture()
        )

    with ThreadPoolExecutor(1) as people:
        sent = people.submit(send)
        assert slow.reached.wait(20)
        assert tell("purge", saga, person.id)["state"] == "PURGING"
        if is_long:
            make_older(use, person)
            purge(person, saga)
        slow.go_on.set()
        with pytest.raises(AccountClosed):
            sent.result()

    make_older(use, person)
    purge(person, saga)
    assert files(use) == stored


def test_a_file_whose_upload_was_killed_goes_too(
    use: Wiring, tell: Tell, purge: Any, upload: Upload, person: Actor
) -> None:
    media, saga = upload(by=person), uuid4()
    with use.engine.begin() as connection:
        connection.execute(
            text("UPDATE catalog.media SET stored_at = NULL WHERE key = :key"), {"key": media.key}
        )

    assert tell("purge", saga, person.id)["state"] == "PURGING"
    assert media.key in files(use)
    make_older(use, person)
    purge(person, saga)

    assert media.key not in files(use)


def make_older(use: Wiring, person: Actor) -> None:
    with use.engine.begin() as connection:
        connection.execute(
            text("UPDATE catalog.media SET created_at = created_at - :passed WHERE owner_id = :id"),
            {"passed": STORING_TAKES + timedelta(seconds=1), "id": person.id},
        )


def test_a_purge_ends_only_once_the_files_are_gone(
    use: Wiring, issuer: TokenIssuer, upload: Upload, tmp_path: Path, purge: Any, person: Actor
) -> None:
    media, saga = upload(by=person), uuid4()
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    broken = create_app(replace(use, storage=LocalDirectory(in_the_way))).test_client()

    answer = broken.post(
        f"/internal/deletions/{saga}/purge",
        json={"personId": str(person.id)},
        headers=issuer.service("identity", audience="catalog", scope="catalog:purge-user"),
    )

    assert (answer.status_code, answer.get_json()["code"]) == (503, "UNAVAILABLE")
    assert media.key in files(use)
    purge(person, saga)
    assert media.key not in files(use)


# ── a long life


FILL = """
INSERT INTO catalog.comedian (id, name, social_links, youtube_urls, instagram_urls, created_by)
SELECT gen_random_uuid(), 'Somebody', '{}', '{}', '{}', :person FROM generate_series(1, 150);
INSERT INTO catalog.show (
    id, status, title, starts_at, duration_minutes, venue, city, google_maps_link, price_paise,
    capacity, youtube_urls, instagram_urls, creator_id, version
)
SELECT gen_random_uuid(), 'PUBLISHED', 'Open Mic', now(), 60, 'Lamakaan', 'Hyderabad', 'x', 0, 1,
    '{}', '{}', :person, 1
FROM generate_series(1, 70);
INSERT INTO catalog.show_comedian (show_id, comedian_id, position)
SELECT show.id, comedian.id, row_number() OVER (PARTITION BY show.id)
FROM catalog.show CROSS JOIN LATERAL (
    SELECT id FROM catalog.comedian WHERE created_by = :person AND show.id IS NOT NULL LIMIT 5
) AS comedian
WHERE creator_id = :person;
INSERT INTO catalog.media (
    key, owner_id, kind, size, sha256, stored_at, review_at
)
SELECT md5(:person || n::text) || '.webp', CAST(:person AS uuid), 'PROFILE', 1, repeat('0', 64),
    now(), now()
FROM generate_series(1, 130) AS n
"""


def test_a_long_life_goes_a_portion_in_each_call(use: Wiring, person: Actor) -> None:
    with use.engine.begin() as connection:
        for statement in FILL.split(";"):
            connection.execute(text(statement.replace(":person", f"'{person.id}'")))
    saga, calls = uuid4(), 1

    def once_more() -> Deletion:
        return purge_person(use.begin, use.storage, saga_id=saga, person_id=person.id, seconds=0)

    while (deletion := once_more()).state is not DeletionState.PURGED:
        calls += 1

    assert calls > 10
    assert deletion.counts == {
        "imagesDeleted": 130,
        "showsDeleted": 70,
        "comediansDeleted": 150,
        "comediansAnonymised": 0,
        "imagesTakenOff": 0,
        "changesAnonymised": 0,
    }
    assert naming(use, str(person.id)) == []


# ── remains


@pytest.fixture
def remains(client: FlaskClient, issuer: TokenIssuer, use: Wiring) -> Callable[..., set[str]]:
    headers = issuer.service("identity", audience="catalog", scope="catalog:purge-user")

    def ask(*people: UUID) -> set[str]:
        hashes = [use.hashes.of(person_id).hex() for person_id in people]
        answer = client.post(
            "/internal/deletions/remains", json={"personHashes": hashes}, headers=headers
        )
        assert answer.status_code == 200, answer.get_json()
        return set(answer.get_json()["personIds"])

    return ask


@pytest.mark.parametrize("column", NAMING, ids=lambda column: str(column).lower())
def test_whoever_is_named_anywhere_remains(
    use: Wiring,
    live: Callable[[Actor], Life],
    remains: Callable[..., set[str]],
    column: Any,
    person: Actor,
) -> None:
    life, other = live(person), uuid4()
    table, name = column.class_.__table__.fullname, column.key
    with use.engine.begin() as connection:
        connection.execute(
            text(f"UPDATE {table} SET {name} = :other WHERE {name} = :person"),  # noqa: S608
            {"other": other, "person": person.id},
        )

    assert remains(other, uuid4()) == {str(other)}
    assert remains(life.others.creator_id, uuid4()) == {str(life.others.creator_id)}


def test_nobody_remains_after_a_purge(
    live: Callable[[Actor], Life], remains: Callable[..., set[str]], purge: Any, person: Actor
) -> None:
    life = live(person)
    assert remains(person.id) == {str(person.id)}

    purge(person)

    assert remains(person.id, life.others.creator_id) == {str(life.others.creator_id)}


def test_who_does_not_remain_is_remembered_as_gone(
    use: Wiring, remains: Callable[..., set[str]], purge: Any, person: Actor
) -> None:
    assert remains(person.id) == remains(person.id) == set()

    with use.begin() as tx, pytest.raises(AccountClosed):
        tx.deletions.require_open(person.id)
    purge(person)


@pytest.mark.parametrize(
    "hashes", [[], ["0" * 63], ["G" * 64], ["A" * 64], ["0" * 64 + "\n"], ["0" * 64] * 1001]
)
def test_what_is_no_list_of_hashes_is_refused(
    client: FlaskClient, issuer: TokenIssuer, hashes: list[str]
) -> None:
    answer = client.post(
        "/internal/deletions/remains",
        json={"personHashes": hashes},
        headers=issuer.service("identity", audience="catalog", scope="catalog:purge-user"),
    )

    assert answer.status_code == 422
