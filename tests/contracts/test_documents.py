"""Documents of APIs are what their standard says, so that any tool can read them."""

import pytest

from contracts.documents import operation_of
from contracts.trying import described
from devstack.settings import SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_a_document_is_what_openapi_allows(service: str) -> None:
    described(service).validate()  # raises, and says where


def test_a_form_with_a_file_is_one_body() -> None:
    upload = operation_of("catalog", "POST /api/v1/upload")

    form = upload.document["components"]["schemas"]["UploadForm"]
    assert upload.parameters == []
    assert upload.body["content"] == {
        "multipart/form-data": {"schema": {"$ref": "#/components/schemas/UploadForm"}}
    }
    assert form["properties"].keys() == {"type", "file"} == set(form["required"])
