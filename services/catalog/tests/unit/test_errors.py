from catalog_service.api.errors import STATUS
from catalog_service.domain.errors import CatalogError


def test_every_refusal_has_a_status() -> None:
    assert {CatalogError, *CatalogError.__subclasses__()} == set(STATUS)
