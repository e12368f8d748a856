"""The cookies of sign-in, named as NextAuth names them; over https bound to it by their prefix."""

import secrets

from flask import Response, request

from identity_service.domain.csrf import csrf_cookie, csrf_token
from identity_service.domain.sign_in import ATTEMPT_LIFETIME, NewSession
from identity_service.settings import Settings

RANDOM_BYTES = 32
MAX_LENGTH = 512  # longer ones are not ours


class Cookies:
    """Reads this request's cookies and writes them on its answer."""

    def __init__(self, settings: Settings) -> None:
        self._secure = settings.secure
        self._csrf_secret = settings.csrf_secret
        host, secure = ("__Host-", "__Secure-") if settings.secure else ("", "")
        self._csrf = f"{host}next-auth.csrf-token"
        self._browser = f"{host}next-auth.state"
        self._session = f"{secure}next-auth.session-token"

    @property
    def session_token(self) -> str | None:
        """The token of the browser's session, live or not."""
        return self._get(self._session)

    @property
    def csrf(self) -> str | None:
        """The cookie that proves where a form comes from."""
        return self._get(self._csrf)

    @property
    def browser(self) -> str | None:
        """The secret that a browser has while it signs in."""
        return self._get(self._browser)

    def keep_session(self, response: Response, session: NewSession) -> None:
        """Give the browser its session."""
        response.set_cookie(
            self._session,
            session.token,
            expires=session.ends_at,
            httponly=True,
            secure=self._secure,
            samesite="Lax",
        )

    def drop_session(self, response: Response) -> None:
        """Let the browser forget its session."""
        response.delete_cookie(self._session, httponly=True, secure=self._secure, samesite="Lax")

    def keep_csrf(self, response: Response, token: str) -> None:
        """Give the browser the counterpart of a form's token, for as long as it is open."""
        response.set_cookie(
            self._csrf,
            csrf_cookie(token, secret=self._csrf_secret),
            httponly=True,
            secure=self._secure,
            samesite="Lax",
        )

    def keep_browser(self, response: Response, browser: str) -> None:
        """Let the browser be recognised when it comes back from the provider."""
        response.set_cookie(
            self._browser,
            browser,
            max_age=ATTEMPT_LIFETIME,
            httponly=True,
            secure=self._secure,
            samesite="Lax",
        )

    def csrf_token(self) -> str:
        """Return the browser's token, a new one if it has none that we made."""
        known = csrf_token(self.csrf, secret=self._csrf_secret)
        return known or secrets.token_urlsafe(RANDOM_BYTES)

    def _get(self, name: str) -> str | None:
        value = request.cookies.get(name)
        return value if value and len(value) <= MAX_LENGTH else None
