"""Every query about sign-ins on their way."""

from datetime import timedelta

from sqlalchemy import delete, func, insert
from sqlalchemy.orm import Session

from identity_service.domain.errors import UnknownSignIn
from identity_service.domain.sign_in import SignInAttempt
from identity_service.models import SignInAttemptRow


class SignInAttemptRepository:
    """Attempts, each bound to the browser that began it and good for one completion."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self, state_hash: bytes, browser_hash: bytes, attempt: SignInAttempt, *, lifetime: timedelta
    ) -> None:
        """Remember an attempt for as long as a person may take at the provider."""
        self._session.execute(
            insert(SignInAttemptRow).values(
                state_hash=state_hash,
                browser_hash=browser_hash,
                nonce=attempt.nonce,
                code_verifier=attempt.code_verifier,
                callback_url=attempt.callback_url,
                expires_at=func.now() + lifetime,
            )
        )

    def take(self, state_hash: bytes, browser_hash: bytes) -> SignInAttempt:
        """Remove the attempt and return it: a second callback finds nothing.

        Raises:
            UnknownSignIn: no such attempt, begun in another browser, expired, or taken before.
        """
        taken = self._session.execute(
            delete(SignInAttemptRow)
            .where(
                SignInAttemptRow.state_hash == state_hash,
                SignInAttemptRow.browser_hash == browser_hash,
                SignInAttemptRow.expires_at > func.now(),
            )
            .returning(
                SignInAttemptRow.nonce,
                SignInAttemptRow.code_verifier,
                SignInAttemptRow.callback_url,
            )
        ).one_or_none()
        if taken is None:
            raise UnknownSignIn
        return SignInAttempt(*taken)

    def purge(self) -> int:
        """Remove the attempts that nobody completed in time and return how many they were."""
        gone = self._session.execute(
            delete(SignInAttemptRow)
            .where(SignInAttemptRow.expires_at <= func.now())
            .returning(SignInAttemptRow.state_hash)
        )
        return len(gone.all())
