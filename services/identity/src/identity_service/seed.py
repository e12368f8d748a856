"""People to sign in as, and the service clients; made through the use cases, repeatable."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from identity_service.domain.approvals import ApprovalStatus
from identity_service.domain.errors import UnknownPerson
from identity_service.domain.people import (
    ComedianProfile,
    CreatorProfile,
    Onboarding,
    OrganizerProfile,
    Role,
)
from identity_service.domain.service_clients import GRANTS
from identity_service.domain.sign_in import ProviderIdentity, SignInPolicy
from identity_service.repositories.transaction import Begin
from identity_service.usecases.apply_as_creator import apply_as_creator
from identity_service.usecases.decide_application import decide_application
from identity_service.usecases.onboard import onboard
from identity_service.usecases.recognise_person import recognise_person
from identity_service.usecases.register_service_client import register_service_client
from service_kit.seeding import seed_id

DOMAIN = "comedy.example"
CITY = "Hyderabad"


@dataclass(frozen=True, slots=True)
class SeedPerson:
    """Somebody the demonstration data knows; the subject at the provider is the e-mail."""

    mailbox: str
    name: str
    age: int = 28
    profile: CreatorProfile | None = None
    approved: bool = True

    @property
    def email(self) -> str:
        """The address to sign in with."""
        return f"{self.mailbox}@{DOMAIN}"

    @property
    def id(self) -> UUID:
        """The id, the same in every service's demonstration data."""
        return seed_id(f"user:{self.email}")


def _organizer(name: str, venue: str, description: str) -> OrganizerProfile:
    return OrganizerProfile(
        id=seed_id(f"organizer_profile:{name}"),
        name=name,
        contact="9000000000",
        venue=venue,
        description=description,
    )


def _comedian(stage_name: str, bio: str) -> ComedianProfile:
    return ComedianProfile(
        id=seed_id(f"comedian_profile:{stage_name}"),
        stage_name=stage_name,
        bio=bio,
        contact="9000000000",
    )


ADMIN = SeedPerson("admin", "Anita Desai", 41)

PEOPLE = (
    ADMIN,
    SeedPerson("audience", "Aarav Reddy"),
    SeedPerson(
        "organizer",
        "Omar Siddiqui",
        36,
        _organizer("Laughing Buddha Nights", "Banjara Hills", "Stand-up in Hyderabad since 2016."),
    ),
    SeedPerson(
        "hitec",
        "Meghana Varma",
        33,
        _organizer("HITEC City Comedy Club", "HITEC City", "Weeknight comedy after work."),
    ),
    SeedPerson(
        "newcomer",
        "Farhan Ali",
        24,
        _organizer("Old City Open Mic", "Charminar", "An open mic that wants to begin."),
        approved=False,
    ),
    SeedPerson(
        "comedian",
        "Sravya Rao",
        30,
        _comedian("Sravya Rao", "Stories of an engineer who left, in Telugu and English."),
    ),
    SeedPerson(
        "vikram", "Vikram Naidu", 34, _comedian("Vikram Naidu", "Traffic, in-laws, biryani.")
    ),
    SeedPerson(
        "zoya", "Zoya Khan", 27, _comedian("Zoya Khan", "Dakhni one-liners and long silences.")
    ),
    *(
        SeedPerson(f"audience{number:02}", name, 20 + 2 * number)
        for number, name in enumerate(
            (
                "Ananya Iyer",
                "Rohit Sharma",
                "Divya Teja",
                "Imran Sheikh",
                "Keerthi Goud",
                "Nikhil Jain",
                "Pooja Yadav",
                "Sai Kiran",
                "Tanvi Kulkarni",
                "Yusuf Baig",
            ),
            start=1,
        )
    ),
)


def seed_people(begin: Begin, policy: SignInPolicy) -> str:
    """Make the people that are missing; those there are stay as they have become.

    A person keeps the id that the account had before, if somebody signed in with it.
    """
    ids = {seeded.mailbox: _recognise(begin, policy, seeded) for seeded in PEOPLE}
    for seeded in PEOPLE:
        _complete(begin, seeded, ids[seeded.mailbox], admin_id=ids[ADMIN.mailbox])
    return f"{len(PEOPLE)} people"


def seed_clients(begin: Begin, secrets: Mapping[str, str]) -> str:
    """Make each service known with its secret and what it may ask of the others."""
    for client_id, secret in secrets.items():
        register_service_client(begin, client_id=client_id, secret=secret, grants=GRANTS[client_id])
    return f"{len(secrets)} service clients"


def _recognise(begin: Begin, policy: SignInPolicy, seeded: SeedPerson) -> UUID:
    identity = ProviderIdentity(
        subject=seeded.email, email=seeded.email, email_verified=True, name=seeded.name
    )
    return recognise_person(begin, policy, identity=identity, new_id=seeded.id)


def _complete(begin: Begin, seeded: SeedPerson, user_id: UUID, *, admin_id: UUID) -> None:
    """Take the steps that have not been taken yet: onboarding, application, approval."""
    with begin() as tx:
        person = tx.people.get(user_id)
    if person is None:
        raise UnknownPerson(seeded.mailbox)
    if not person.onboarding_completed:
        _onboard(begin, seeded, user_id)
    if person.role is Role.AUDIENCE:
        _apply(begin, seeded, user_id)
    if seeded.profile and seeded.approved and person.approval in (None, ApprovalStatus.PENDING):
        decide_application(
            begin,
            user_id=user_id,
            decision=ApprovalStatus.APPROVED,
            admin_id=admin_id,
            reason="Known to us.",
        )


def _onboard(begin: Begin, seeded: SeedPerson, user_id: UUID) -> None:
    answers = Onboarding(name=seeded.name, age=seeded.age, city=CITY, watched_comedy=True)
    onboard(begin, user_id=user_id, answers=answers)


def _apply(begin: Begin, seeded: SeedPerson, user_id: UUID) -> None:
    if seeded.profile is not None:
        apply_as_creator(begin, user_id=user_id, profile=seeded.profile)
