"""The repositories of one open transaction."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias

from sqlalchemy.orm import Session

from identity_service.repositories.admin_passwords import AdminPasswordRepository
from identity_service.repositories.api_tokens import ApiTokenRepository
from identity_service.repositories.applications import ApplicationRepository
from identity_service.repositories.audit import AuditRepository
from identity_service.repositories.contacts import ContactRepository
from identity_service.repositories.creators import CreatorRepository
from identity_service.repositories.deletions import DeletionRepository
from identity_service.repositories.people import PeopleRepository
from identity_service.repositories.personal_data import PersonalDataRepository
from identity_service.repositories.service_clients import ServiceClientRepository
from identity_service.repositories.sessions import SessionRepository
from identity_service.repositories.sign_in_attempts import SignInAttemptRepository
from identity_service.repositories.signing_keys import SigningKeyRepository
from identity_service.repositories.standings import StandingRepository
from identity_service.repositories.terms import TermsRepository
from identity_service.repositories.work import Work
from service_kit.durable import WorkQueue


class Transaction:
    """This service's repositories, sharing one open transaction."""

    def __init__(self, session: Session, queue: WorkQueue) -> None:
        self.people = PeopleRepository(session)
        self.applications = ApplicationRepository(session)
        self.sessions = SessionRepository(session)
        self.api_tokens = ApiTokenRepository(session)
        self.sign_in_attempts = SignInAttemptRepository(session)
        self.contacts = ContactRepository(session)
        self.creators = CreatorRepository(session)
        self.deletions = DeletionRepository(session)
        self.admin_passwords = AdminPasswordRepository(session)
        self.audit = AuditRepository(session)
        self.personal_data = PersonalDataRepository(session)
        self.service_clients = ServiceClientRepository(session)
        self.signing_keys = SigningKeyRepository(session)
        self.terms = TermsRepository(session)
        self.standings = StandingRepository(session)
        self.work = Work(session, queue)


Begin: TypeAlias = Callable[[], AbstractContextManager[Transaction]]
