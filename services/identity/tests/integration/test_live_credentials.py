from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy.exc import OperationalError

from identity_service.repositories.live_credentials import LiveCredentials
from service_kit.database import connect_for_single_statements


def test_without_a_database_everybody_who_asks_hears_of_it() -> None:
    nobody = "postgresql://nobody@127.0.0.1:9/nothing"
    engine = connect_for_single_statements(nobody, application="x", pool_size=2)
    live = LiveCredentials(engine, idle=timedelta(hours=1))

    def ask(number: int) -> Exception | None:
        try:
            live.session(bytes(number))
        except OperationalError as error:
            return error
        return None

    with ThreadPoolExecutor(8) as people:
        heard = list(people.map(ask, range(8)))

    assert all(isinstance(error, OperationalError) for error in heard)
