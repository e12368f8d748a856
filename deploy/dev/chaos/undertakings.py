"""Whatever is attempted, made ready: people, shows and bookings, in a life of their own."""

from collections.abc import Callable, Mapping

from chaos.called_off import CalledOff
from chaos.cases import Case
from chaos.deletion import Deletion
from chaos.people import House, creator
from chaos.purchase import Purchase
from chaos.returned import Return
from chaos.trial import Undertaking

_SALES: Mapping[Case, Callable[[House, str], Undertaking]] = {
    Case.BUYS: Purchase,
    Case.RETURNS: Return,
    Case.CALLS_OFF: CalledOff,
}


def made_ready(house: House, case: Case, name: str) -> Undertaking:
    """Let somebody come to the point of doing this; the name is unlike anybody else's."""
    if case in _SALES:
        return _SALES[case](house, name)
    return Deletion(house.stage, creator(house, name, sold=case is Case.STAYS), case)
