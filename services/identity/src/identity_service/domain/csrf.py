"""Proof that a form was filled in on our own page: a token twice, in the form and in a cookie."""

import hashlib
import hmac


def csrf_cookie(token: str, *, secret: str) -> str:
    """Return the cookie for a token, `token|hash`; only we can make the hash."""
    return f"{token}|{_hash(token, secret)}"


def csrf_token(cookie: str | None, *, secret: str) -> str | None:
    """Return the token of a cookie that we made, None of any other."""
    token, _, proof = (cookie or "").partition("|")
    made_by_us = hmac.compare_digest(proof.encode(), _hash(token, secret).encode())
    return token if token and made_by_us else None


def proves_same_page(form_token: str | None, cookie: str | None, *, secret: str) -> bool:
    """Return whether the form's token is that of a cookie that we made."""
    token = csrf_token(cookie, secret=secret)
    if token is None or form_token is None:
        return False
    return hmac.compare_digest(form_token.encode(), token.encode())


def _hash(token: str, secret: str) -> str:
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()
