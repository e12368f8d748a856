from config_service.api.errors import STATUS
from config_service.domain.errors import ConfigError


def test_every_refusal_has_a_status_and_a_code_of_its_own() -> None:
    refusals: list[type[ConfigError]] = [ConfigError, *ConfigError.__subclasses__()]

    assert set(refusals) == set(STATUS)
    assert len({refusal.code for refusal in refusals}) == len(refusals)
