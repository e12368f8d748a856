"""A person with a browser, as the gateway sees one: cookies, redirects, a same-site Origin."""

from typing import Any
from urllib.parse import urlsplit

import requests

SECONDS = 15.0


class SignInFailed(Exception):
    """The sign-in did not end with a session."""


class Visitor:
    """Somebody at the public URL; signed out until `sign_in`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._browser = requests.Session()
        self._browser.trust_env = False

    def close(self) -> None:
        """Close the browser."""
        self._browser.close()

    def get(self, path: str, **options: Any) -> requests.Response:
        """Read a path of the site, without following redirects."""
        return self.send("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        """Send a JSON body to a path of the site."""
        return self.send("POST", path, json=body, **options)

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request as a page of the site would: with cookies and the site's Origin."""
        headers = {"Origin": self.url, **options.pop("headers", {})}
        options = {"timeout": SECONDS, "allow_redirects": False, **options}
        return self._browser.request(method, self.url + path, headers=headers, **options)

    def sign_in(self, email: str) -> dict[str, Any]:
        """Sign in at the development provider as the person with this address; return the user.

        Raises:
            SignInFailed: with where the sign-in ended.
        """
        token = self.get("/api/auth/csrf").json()["csrfToken"]
        form = {"csrfToken": token, "callbackUrl": f"{self.url}/", "json": "true"}
        provider = self.send("POST", "/api/auth/signin/google", data=form).json()["url"]
        consent = self._browser.post(
            provider, data={"email": email}, timeout=SECONDS, allow_redirects=False
        )
        callback = urlsplit(consent.headers.get("Location", ""))
        self.get(f"{callback.path}?{callback.query}")
        session = self.get("/api/auth/session").json()
        if "user" not in session:
            raise SignInFailed(f"signing in as {email} ended at {callback.path or consent.url}")
        user: dict[str, Any] = session["user"]
        return user

    def give_second_factor(self, password: str) -> None:
        """Confirm, as an admin, with the second factor; the first time this chooses it.

        Raises:
            SignInFailed: it is not the one that was chosen, or this is no admin.
        """
        chosen = not self.get("/api/v1/admin/check-session").json().get("needsPasswordSetup", True)
        step = "verify-password" if chosen else "set-password"
        body = {"password": password} | ({} if chosen else {"confirmPassword": password})
        answer = self.post(f"/api/v1/admin/{step}", body)
        if not answer.ok:
            raise SignInFailed(f"the second factor was refused: {answer.text[:200]}")

    def sign_out(self) -> None:
        """End the session."""
        token = self.get("/api/auth/csrf").json()["csrfToken"]
        self.send("POST", "/api/auth/signout", data={"csrfToken": token, "json": "true"})
