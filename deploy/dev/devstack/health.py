"""Asking processes how they are."""

from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

READY = "ready"


def ask(url: str) -> str:
    """Return `READY` if the URL answers 200, otherwise what happened instead."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=3)
    try:
        connection.request("GET", parts.path)
        status = connection.getresponse().status
    except (OSError, HTTPException):
        return "no answer"
    finally:
        connection.close()
    return READY if status == 200 else f"answers {status}"
