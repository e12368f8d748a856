"""The repositories of one open transaction."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias

from sqlalchemy.orm import Session

from config_service.repositories.authors import AuthorRepository
from config_service.repositories.deletions import DeletionRepository
from config_service.repositories.settings import SettingRepository
from service_kit.person_hashes import PersonHashes


class Transaction:
    """This service's repositories, sharing one open transaction."""

    def __init__(self, session: Session, hashes: PersonHashes) -> None:
        self.authors = AuthorRepository(session)
        self.deletions = DeletionRepository(session, hashes)
        self.settings = SettingRepository(session)


Begin: TypeAlias = Callable[[], AbstractContextManager[Transaction]]
