"""A season of comedy in Hyderabad, made through the use cases; what exists is left alone.

Ids come from names, so that other services' demonstration data can refer to them. Dates count from
the day of the first seeding.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from urllib.parse import quote_plus
from uuid import UUID
from zoneinfo import ZoneInfo

from catalog_service.domain.actors import Actor
from catalog_service.domain.changes import ChangeStatus, ShowChange
from catalog_service.domain.comedians import ComedianDetails
from catalog_service.domain.edits import Edit
from catalog_service.domain.errors import AlreadyListed
from catalog_service.domain.shows import Show, ShowDetails, ShowStatus
from catalog_service.usecases.create_comedian import create_comedian
from catalog_service.usecases.create_show import create_show
from catalog_service.usecases.edit_show import edit_show
from catalog_service.usecases.publish_show import publish_show
from catalog_service.wiring import Wiring
from service_kit.seeding import seed_id

CALENDAR = ZoneInfo("Asia/Kolkata")
OUTCOME_SECONDS = 60.0
ENDED = "ended"


class SeedFailed(Exception):
    """The demonstration data could not be completed; the message says what to do."""


def _user(email: str) -> UUID:
    return seed_id(f"user:{email}@comedy.example")


BUDDHA = Actor(id=_user("organizer"), role="ORGANIZER", approved=True)
HITEC = Actor(id=_user("hitec"), role="ORGANIZER", approved=True)
SRAVYA = Actor(id=_user("comedian"), role="COMEDIAN", approved=True)
ADMIN = Actor(id=_user("admin"), role="ADMIN", approved=False)


@dataclass(frozen=True, slots=True)
class _Comedian:
    slug: str
    name: str
    bio: str
    by: Actor
    is_actor: bool = False  # the entry of the person who makes it


@dataclass(frozen=True, slots=True)
class _Venue:
    name: str
    area: str


@dataclass(frozen=True, slots=True)
class _Show:
    slug: str
    title: str
    day: int  # days after the seeding
    at: str  # in India
    venue: _Venue
    rupees: int
    capacity: int
    by: Actor
    bill: tuple[str, ...]
    description: str
    minutes: int = 90
    published: bool = True


_COMEDIANS = (
    _Comedian(
        "sravya-rao",
        "Sravya Rao",
        "Writes about rented flats, Telugu aunties and the traffic at Gachibowli flyover.",
        SRAVYA,
        is_actor=True,
    ),
    _Comedian(
        "imran-baig",
        "Imran Baig",
        "Old City storyteller. Biryani is not a joke to him; everything else is.",
        BUDDHA,
    ),
    _Comedian(
        "karthik-varma",
        "Karthik Varma",
        "A software tester who found more bugs in his marriage plans than at work.",
        BUDDHA,
    ),
    _Comedian(
        "neha-deshpande",
        "Neha Deshpande",
        "Moved from Pune for a month, stayed for the Irani chai. Hindi and English.",
        BUDDHA,
    ),
    _Comedian(
        "farhan-siddiqui",
        "Farhan Siddiqui",
        "Dakhni one-liners at the pace of a Hyderabadi afternoon.",
        HITEC,
    ),
    _Comedian(
        "lavanya-iyer",
        "Lavanya Iyer",
        "Carnatic training, sitcom upbringing. Songs that end in an argument.",
        HITEC,
    ),
    _Comedian(
        "rohit-nair",
        "Rohit Nair",
        "Crowd work, and a memory for names that front rows come to fear.",
        HITEC,
    ),
    _Comedian(
        "pooja-reddy",
        "Pooja Reddy",
        "Dentist by day. Nobody laughs there either, at first.",
        BUDDHA,
    ),
)

_LAMAKAAN = _Venue("Lamakaan", "Banjara Hills")
_CELLAR = _Venue("The Brick Cellar", "Jubilee Hills")
_LOFT = _Venue("Charminar Loft", "Jubilee Hills")
_SHILPA = _Venue("Shilpakala Vedika", "Hitec City")
_QUORUM = _Venue("Quorum Hall", "Hitec City")
_BACKYARD = _Venue("The Backyard Stage", "Gachibowli")
_STUDIO = _Venue("Durgam Studio", "Madhapur")
_CANTONMENT = _Venue("Cantonment Club Lawns", "Secunderabad")
_PARADE = _Venue("Parade Ground Café", "Secunderabad")
_RAVINDRA = _Venue("Ravindra Bharathi Annexe", "Lakdikapul")

SHOWS = (
    _Show(
        "open-mic-lamakaan", "Lamakaan Open Mic", 1, "19:30", _LAMAKAAN, 0, 80, BUDDHA,
        ("karthik-varma", "pooja-reddy"),
        "Ten comics, five minutes each, one gong. Free entry, bring your own chai.",
    ),
    _Show(
        "nearly-sold-out", "Tiny Room, Big Laughs", 3, "20:00", _CELLAR, 499, 60, BUDDHA,
        ("imran-baig", "neha-deshpande"),
        "Sixty chairs, two headliners and nowhere to hide from the front row.",
    ),
    _Show(
        ENDED, "The Last Local", 2, "19:30", _PARADE, 299, 120, BUDDHA,
        ("imran-baig", "pooja-reddy"),
        "An evening about trains missed, jobs missed and people not missed at all.",
    ),
    _Show(
        "techie-troubles", "Techie Troubles", 4, "20:30", _QUORUM, 299, 180, HITEC,
        ("karthik-varma", "rohit-nair"),
        "Stand-ups about stand-ups. Laptops stay closed.",
    ),
    _Show(
        "dakhni-nights", "Dakhni Nights", 5, "20:00", _LOFT, 499, 110, BUDDHA,
        ("farhan-siddiqui", "imran-baig"),
        "Ninety minutes in the language of the city, subtitles by your neighbour.",
    ),
    _Show(
        "sravya-solo", "Sravya Rao: Deposit Not Refundable", 6, "19:30", _LAMAKAAN, 499, 150,
        SRAVYA, (), "A new solo hour about eleven houses, nine landlords and one cat.", minutes=75,
    ),
    _Show(
        "sunday-brunch", "Sunday Brunch Stand-up", 7, "12:30", _BACKYARD, 149, 70, HITEC,
        ("lavanya-iyer", "pooja-reddy"),
        "Clean comedy for the whole family, before the dosas run out.", minutes=60,
    ),
    _Show(
        "crowd-work-only", "Crowd Work Only", 8, "20:00", _STUDIO, 299, 90, HITEC,
        ("rohit-nair",), "No script. You are the script. Latecomers are the second act.",
    ),
    _Show(
        "biryani-monologues", "The Biryani Monologues", 9, "19:30", _CANTONMENT, 499, 250, BUDDHA,
        ("imran-baig", "farhan-siddiqui"),
        "Two men, one dish, forty years of disagreement. With or without aloo.",
    ),
    _Show(
        "all-women-lineup", "Akka Acts Up", 11, "20:00", _LOFT, 299, 110, BUDDHA,
        ("neha-deshpande", "lavanya-iyer", "pooja-reddy"),
        "Three comics who were told to sit down and be quiet, and did neither.",
    ),
    _Show(
        "grand-season-opener", "The Grand Winter Gala", 13, "19:00", _SHILPA, 999, 400, HITEC,
        ("imran-baig", "neha-deshpande", "rohit-nair", "lavanya-iyer"),
        "Four headliners on the biggest stage of the season.", minutes=150,
    ),
    _Show(
        "new-material-monday", "New Material Monday", 15, "20:00", _STUDIO, 149, 60, HITEC,
        ("karthik-varma", "farhan-siddiqui"),
        "Nobody knows whether it works. Tickets are cheap for a reason.", minutes=60,
    ),
    _Show(
        "musical-comedy", "Sa Re Ga Ha Ha", 16, "19:30", _RAVINDRA, 499, 220, HITEC,
        ("lavanya-iyer",), "A recital that goes wrong in all seven notes.",
    ),
    _Show(
        "telugu-standup", "Navvula Panduga", 18, "19:00", _SHILPA, 299, 350, BUDDHA,
        ("pooja-reddy", "karthik-varma"),
        "An all-Telugu evening for three generations in one row.", minutes=120,
    ),
    _Show(
        "sravya-friends", "Sravya and Friends", 20, "20:00", _CELLAR, 299, 60, SRAVYA,
        ("neha-deshpande", "rohit-nair"), "Trying out jokes on people who promised to be honest.",
    ),
    _Show(
        "late-show", "The Very Late Show", 21, "22:30", _BACKYARD, 499, 80, HITEC,
        ("rohit-nair", "neha-deshpande"), "Adults only. The metro has gone home, so will you.",
    ),
    _Show(
        "corporate-roast", "Appraisal Season: A Roast", 23, "20:00", _QUORUM, 999, 160, HITEC,
        ("karthik-varma", "rohit-nair", "farhan-siddiqui"),
        "Bring your manager. Exceeds expectations, on a curve.",
    ),
    _Show(
        "charity-night", "Laughs for the Lake", 25, "18:30", _CANTONMENT, 0, 300, BUDDHA,
        ("imran-baig", "lavanya-iyer", "pooja-reddy"),
        "Free entry; what you leave in the bucket cleans Hussain Sagar.", minutes=120,
    ),
    _Show(
        "new-year-special", "New Year, Same Jokes", 32, "20:30", _LOFT, 999, 130, BUDDHA,
        ("imran-baig", "neha-deshpande", "farhan-siddiqui"),
        "The best of the year, and the ones we apologised for.", minutes=120,
    ),
    _Show(
        "draft-improv", "Improv Jam (working title)", 27, "20:00", _STUDIO, 149, 70, BUDDHA,
        ("neha-deshpande",), "Still looking for a second team.", published=False,
    ),
)  # fmt: skip


def seed(use: Wiring) -> str:
    """Create comedians and shows, and publish them all at once.

    Raises:
        SeedFailed: booking did not open the offers in time, or refused one.
    """
    today = use.now().astimezone(CALENDAR).date()
    for comedian in _COMEDIANS:
        _ensure_comedian(use, comedian)
    new = sum(_ensure_show(use, show, today) for show in SHOWS)
    for show in SHOWS:
        if show.published:
            _ensure_published(use, show)
    wanted = {_show_id(show.slug) for show in SHOWS if show.published}
    _wait(use, wanted, lambda show: show.status is ShowStatus.PUBLISHED)
    return f"{len(_COMEDIANS)} comedians, {len(SHOWS)} shows ({new} new)"


def move_ended_show(use: Wiring) -> str:
    """Move the show that is to be over to yesterday evening, after its tickets were sold.

    Raises:
        SeedFailed: the show does not exist, or booking did not move its offer in time.
    """
    show_id = _show_id(ENDED)
    with use.read() as tx:
        show = tx.shows.find(show_id)
        under_way = tx.changes.open_of(show_id)
    if show is None:
        raise SeedFailed("there is no ended show yet; seed without --after-sales first")
    today = use.now().astimezone(CALENDAR).date()
    if show.details.starts_at > use.now() and under_way is None:
        yesterday = _evening(today - timedelta(days=1), "19:30")
        edit_show(
            use.begin,
            actor=ADMIN,
            show_id=show_id,
            edit=Edit({"starts_at": yesterday}),
            seen_version=show.version,
            now=use.now(),
        )
    _wait(use, {show_id}, lambda moved: moved.details.starts_at <= use.now())
    return "the ended show is over"


def _ensure_comedian(use: Wiring, comedian: _Comedian) -> None:
    comedian_id = seed_id(f"comedian:{comedian.slug}")
    with use.read() as tx:
        exists = bool(tx.comedians.known([comedian_id]))
    if exists:
        return
    with suppress(AlreadyListed):  # somebody signed in and performed before the seeding
        create_comedian(
            use.begin,
            actor=comedian.by,
            details=ComedianDetails(name=comedian.name, bio=comedian.bio),
            comedian_id=comedian_id,
            user_id=comedian.by.id if comedian.is_actor else None,
        )


def _ensure_show(use: Wiring, show: _Show, today: date) -> bool:
    with use.read() as tx:
        if tx.shows.find(_show_id(show.slug)) is not None:
            return False
    create_show(
        use.begin,
        use.people,
        actor=show.by,
        details=ShowDetails(
            title=show.title,
            description=show.description,
            starts_at=_evening(today + timedelta(days=show.day), show.at),
            duration_minutes=show.minutes,
            venue=f"{show.venue.name}, {show.venue.area}",
            google_maps_link=_map_of(show.venue),
            price_paise=show.rupees * 100,
            capacity=show.capacity,
        ),
        comedian_ids=[seed_id(f"comedian:{slug}") for slug in show.bill],
        now=use.now(),
        show_id=_show_id(show.slug),
    )
    return True


def _ensure_published(use: Wiring, show: _Show) -> None:
    show_id = _show_id(show.slug)
    with use.read() as tx:
        stored = tx.shows.find(show_id)
        under_way = tx.changes.open_of(show_id)
    is_draft = stored is not None and stored.status is ShowStatus.DRAFT
    if is_draft and under_way is None:
        publish_show(use.begin, actor=show.by, show_id=show_id, now=use.now())


def _wait(use: Wiring, show_ids: Iterable[UUID], done: Callable[[Show], bool]) -> None:
    """Wait until all these shows are as they should be."""
    missing = set(show_ids)
    ends_at = time.monotonic() + OUTCOME_SECONDS
    while True:
        with use.read() as tx:
            for show_id in list(missing):
                show = tx.shows.find(show_id)
                if show is not None and done(show):
                    missing.discard(show_id)
                else:
                    newest = tx.changes.of_show(show_id, before_version=None, limit=1)
                    _require_not_refused(newest)
        if not missing:
            return
        if time.monotonic() > ends_at:
            raise SeedFailed(
                f"{len(missing)} shows wait for booking after {OUTCOME_SECONDS:.0f} s; "
                "are booking and the catalog's worker running?"
            )
        time.sleep(0.1)


def _require_not_refused(newest: list[ShowChange]) -> None:
    for change in newest:
        if change.status is ChangeStatus.REFUSED:
            raise SeedFailed(f"booking refused: {change.refusal_text} ({change.refusal_code})")


def _show_id(slug: str) -> UUID:
    return seed_id(f"show:{slug}")


def _evening(day: date, at: str) -> datetime:
    return datetime.combine(day, time_of_day.fromisoformat(at), CALENDAR)


def _map_of(venue: _Venue) -> str:
    place = quote_plus(f"{venue.name}, {venue.area}, Hyderabad")
    return f"https://www.google.com/maps/search/?api=1&query={place}"
