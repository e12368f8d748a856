from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from catalog_service.domain.actors import Actor
from catalog_service.domain.shows import Show
from catalog_service.wiring import Wiring
from service_kit.testing import TokenIssuer

ShowFactory = Callable[..., Show]
COMEDIANS = "/api/v1/comedians"


SOMEBODY = "0199c0de-0000-7000-8000-000000000001"


@pytest.fixture
def owner() -> Actor:
    return Actor(id=uuid4(), role="ORGANIZER", approved=True)


@pytest.fixture
def signed_in(issuer: TokenIssuer) -> Callable[[Actor], dict[str, str]]:
    return lambda actor: issuer.user(actor.id, role=actor.role, approved=actor.approved)


@pytest.fixture
def add(client: FlaskClient, owner: Actor, signed_in: Any) -> Callable[..., dict[str, Any]]:
    def make(*, by: Actor = owner, **body: Any) -> dict[str, Any]:
        headers = signed_in(by)
        answer = client.post(COMEDIANS, json={"name": "Imran Baig", **body}, headers=headers)
        assert answer.status_code == 201, answer.get_json()
        comedian: dict[str, Any] = answer.get_json()["comedian"]
        return comedian

    return make


def path_of(comedian: dict[str, Any]) -> str:
    return f"{COMEDIANS}/{comedian['id']}"


def pages(client: FlaskClient, **query: Any) -> Iterator[list[dict[str, Any]]]:
    while True:
        page = client.get(COMEDIANS, query_string=query).get_json()
        yield page["comedians"]
        if page["nextCursor"] is None:
            return
        query["cursor"] = page["nextCursor"]


FULL = {
    "name": "Imran Baig",
    "stageName": "The 100% Baig",
    "bio": "Old City storyteller.\nBiryani is not a joke.",
    "profileImageUrl": "https://images.example/imran.jpg",
    "promoVideoUrl": "https://youtu.be/x",
    "socialLinks": {"instagram": "imranbaig", "youtube": "https://www.youtube.com/@imran"},
    "youtubeUrls": ["https://youtu.be/y"],
    "instagramUrls": ["https://www.instagram.com/p/x/"],
}


def test_an_entry_says_what_its_creator_wrote(client: FlaskClient, add: Any, owner: Actor) -> None:
    added = add(**FULL)

    assert UUID(added["id"]).version == 7
    assert added == {**FULL, "id": added["id"], "createdBy": str(owner.id)}
    assert client.get(path_of(added)).get_json() == {"comedian": added, "shows": []}


def test_a_name_is_enough(add: Any, owner: Actor) -> None:
    added = add(name="  Neha ", bio="", socialLinks={"twitter": ""})

    assert added == {
        "id": added["id"],
        "name": "Neha",
        "stageName": None,
        "bio": None,
        "profileImageUrl": None,
        "promoVideoUrl": None,
        "socialLinks": {},
        "youtubeUrls": [],
        "instagramUrls": [],
        "createdBy": str(owner.id),
    }


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": None},
        {"name": "x" * 121},
        {"stageName": "x" * 121},
        {"bio": "x" * 5001},
        {"bio": "bell\u0007"},
        {"profileImageUrl": "javascript:alert(1)"},
        {"promoVideoUrl": "https://vimeo.com/1"},
        {"socialLinks": {"myspace": "x"}},
        {"socialLinks": {"instagram": "javascript:alert(1)"}},
        {"socialLinks": {"instagram": "//evil.example"}},
        {"socialLinks": {"instagram": "x" * 201}},
        {"youtubeUrls": ["https://youtu.be/a", "https://youtu.be/b"]},
        {"youtubeUrls": ["https://evil.example/watch"]},
        {"instagramUrls": ["https://www.instagram.com/p/x"] * 3},
        {"instagramUrls": ["https://www.instagram.com/somebody"]},
        {"createdBy": SOMEBODY},
        {"userId": SOMEBODY},
    ],
    ids=str,
)
def test_a_field_that_breaks_a_rule_is_named(
    client: FlaskClient, add: Any, owner: Actor, signed_in: Any, change: dict[str, Any]
) -> None:
    path, headers, (changed,) = path_of(add()), signed_in(owner), change

    for answer in (
        client.post(COMEDIANS, json={"name": "x", **change}, headers=headers),
        client.put(path, json=change, headers=headers),
    ):
        assert answer.status_code == 422
        assert {name.split(".")[0] for name in answer.get_json()["errors"]} == {changed}


def test_what_is_absent_stays_and_null_clears(
    client: FlaskClient, add: Any, owner: Actor, signed_in: Any
) -> None:
    added, headers = add(**FULL), signed_in(owner)

    unchanged = client.put(path_of(added), json={}, headers=headers)
    renamed = client.put(path_of(added), json={"name": "Imran"}, headers=headers)
    cleared = client.put(
        path_of(added), json=dict.fromkeys(FULL.keys() - {"name"}), headers=headers
    )

    assert (unchanged.status_code, unchanged.get_json()["comedian"]) == (200, added)
    assert renamed.get_json()["comedian"] == {**added, "name": "Imran"}
    assert cleared.get_json()["comedian"] == {
        **dict.fromkeys(FULL),
        "id": added["id"],
        "name": "Imran",
        "socialLinks": {},
        "youtubeUrls": [],
        "instagramUrls": [],
        "createdBy": str(owner.id),
    }
    assert client.get(path_of(added)).get_json()["comedian"] == cleared.get_json()["comedian"]


def test_an_admin_edits_and_deletes_any_entry(
    client: FlaskClient, add: Any, issuer: TokenIssuer
) -> None:
    added, admin = add(), issuer.admin(uuid4())

    edited = client.put(path_of(added), json={"bio": "Corrected."}, headers=admin)
    deleted = client.delete(path_of(added), headers=admin)

    assert edited.get_json()["comedian"] == {**added, "bio": "Corrected."}
    assert (deleted.status_code, deleted.get_json()) == (200, {"success": True})
    assert client.get(path_of(added)).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_an_admin_changes_anothers_entry_only_after_the_second_factor(
    client: FlaskClient, add: Any, issuer: TokenIssuer, method: str
) -> None:
    admin = uuid4()
    others = add()
    own = add(by=Actor(id=admin, role="ADMIN", approved=False))
    body: dict[str, Any] = {"json": {"name": "New"}} if method == "PUT" else {}

    def status(comedian: dict[str, Any], headers: dict[str, str]) -> int:
        return client.open(path_of(comedian), method=method, headers=headers, **body).status_code

    without = issuer.user(admin, role="ADMIN")
    assert status(others, without) == 403
    assert status({"id": str(uuid4())}, without) == 404
    assert status(own, without) == 200
    assert status(others, issuer.admin(admin)) == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_anothers_entry_and_an_unknown_one_are_the_same_to_who_would_change_it(
    client: FlaskClient, add: Any, signed_in: Any, method: str
) -> None:
    added, other = add(), signed_in(Actor(id=uuid4(), role="ORGANIZER", approved=True))
    body = {"name": "Mine"} if method == "PUT" else None

    answers = [
        client.open(path, method=method, headers=other, json=body)
        for path in (path_of(added), f"{COMEDIANS}/{uuid4()}")
    ]

    problems = [answer.get_json() for answer in answers]
    for problem in problems:
        del problem["instance"], problem["requestId"]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert problems[0] == problems[1]
    assert client.get(path_of(added)).get_json()["comedian"] == added


def test_a_comedian_makes_the_own_entry_once(
    client: FlaskClient, add: Any, use: Wiring, signed_in: Any
) -> None:
    comedian = Actor(id=uuid4(), role="COMEDIAN", approved=True)
    added = add(by=comedian, isOwn=True)

    again = client.post(
        COMEDIANS, json={"name": "Again", "isOwn": True}, headers=signed_in(comedian)
    )

    with use.read() as tx:
        entry = tx.comedians.find(UUID(added["id"]))
    assert entry.user_id == comedian.id
    assert (again.status_code, again.get_json()["code"]) == (409, "ALREADY_LISTED")


def test_only_a_comedian_has_an_own_entry(
    client: FlaskClient, owner: Actor, signed_in: Any
) -> None:
    answer = client.post(COMEDIANS, json={"name": "x", "isOwn": True}, headers=signed_in(owner))

    assert (answer.status_code, set(answer.get_json()["errors"])) == (422, {"isOwn"})


def test_a_comedians_page_shows_what_is_upcoming_and_published(
    client: FlaskClient, add: Any, draft: ShowFactory, published: ShowFactory
) -> None:
    added = add()
    bill = {"comedian_ids": [UUID(added["id"])]}
    draft(title="draft", **bill)
    published(title="another's bill")
    show = published(title="upcoming", **bill)

    page = client.get(path_of(added)).get_json()

    assert [each["title"] for each in page["shows"]] == ["upcoming"]
    assert page["shows"] == [client.get(f"/api/v1/shows/{show.id}").get_json()["show"]]


def test_an_entry_on_anothers_bill_is_not_deleted(
    client: FlaskClient, add: Any, draft: ShowFactory, owner: Actor, signed_in: Any
) -> None:
    added = add()
    draft(comedian_ids=[UUID(added["id"])])

    answer = client.delete(path_of(added), headers=signed_in(owner))

    assert (answer.status_code, answer.get_json()["code"]) == (409, "COMEDIAN_IN_USE")
    assert client.get(path_of(added)).status_code == 200


def test_the_directory_is_read_by_everybody_by_name(client: FlaskClient, add: Any) -> None:
    mark = uuid4().hex
    # an invisible joiner, as in many Indian names, belongs to a name and to a cursor
    names = [f"{mark} a", f"{mark} b\u200dc", f"{mark} d"]
    for name in reversed(names):
        add(name=name)

    found = [page[0]["name"] for page in pages(client, q=mark, limit=1)]

    assert found == names


def test_the_directory_is_searched_by_words_of_the_names(client: FlaskClient, add: Any) -> None:
    mark = uuid4().hex
    add(name=f"Imran {mark}", stageName="The 100% Baig")
    add(name=f"Neha {mark}")

    def found(text: str) -> list[str]:
        answer = client.get(COMEDIANS, query_string={"q": text}).get_json()
        return [each["name"].split()[0] for each in answer["comedians"]]

    assert found(mark) == ["Imran", "Neha"]
    assert found(f"{mark.upper()} imr") == ["Imran"]
    assert found(f"{mark} 100% baig") == ["Imran"]
    assert found(f"{mark} 1%0") == []
    assert found(f"{mark} nobody") == []


@pytest.mark.parametrize("comedian_id", [uuid4(), "x"])
def test_an_unknown_comedian_is_not_found(client: FlaskClient, comedian_id: object) -> None:
    assert client.get(f"{COMEDIANS}/{comedian_id}").status_code == 404


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJcdTAwMDAiLCJ4Il0", "WyJcdWQ4MDAiLCJ4Il0"])
def test_a_cursor_nobody_handed_out_is_refused(client: FlaskClient, cursor: str) -> None:
    answer = client.get(COMEDIANS, query_string={"cursor": cursor})

    assert (answer.status_code, set(answer.get_json()["errors"])) == (422, {"cursor"})
