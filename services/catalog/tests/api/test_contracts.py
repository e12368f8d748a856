"""What others rely on: our document."""

import json
from pathlib import Path

from flask.testing import FlaskClient

COMMITTED = Path(__file__).parents[2] / "openapi.json"


def test_the_committed_document_is_what_the_code_says(client: FlaskClient) -> None:
    assert client.get("/openapi.json").get_json() == json.loads(COMMITTED.read_text())
