"""The repositories of one open transaction."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias

from sqlalchemy.orm import Session

from catalog_service.repositories.changes import ChangeRepository
from catalog_service.repositories.comedians import ComedianRepository
from catalog_service.repositories.deletions import DeletionRepository
from catalog_service.repositories.media import MediaRepository
from catalog_service.repositories.people import PersonRepository
from catalog_service.repositories.shows import ShowRepository
from catalog_service.repositories.standings import StandingRepository
from catalog_service.repositories.work import Work
from service_kit.durable import WorkQueue
from service_kit.person_hashes import PersonHashes


class Transaction:
    """This service's repositories, sharing one open transaction."""

    def __init__(self, session: Session, queue: WorkQueue, hashes: PersonHashes) -> None:
        self.shows = ShowRepository(session)
        self.comedians = ComedianRepository(session)
        self.media = MediaRepository(session)
        self.changes = ChangeRepository(session)
        self.deletions = DeletionRepository(session, hashes)
        self.people = PersonRepository(session)
        self.standings = StandingRepository(session)
        self.work = Work(session, queue)


Begin: TypeAlias = Callable[[], AbstractContextManager[Transaction]]
