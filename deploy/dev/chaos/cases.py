"""What is attempted while something goes wrong."""

from enum import Enum

COMPLETED, REFUSED = "COMPLETED", "REFUSED"  # of a deletion; a show's cancellation is completed
CONFIRMED, FAILED = "CONFIRMED", "FAILED"  # of a booking
REFUNDED = "REFUNDED"  # of a booking: cancelled, and the money is back
ENDED = (COMPLETED, REFUSED, CONFIRMED, FAILED, REFUNDED)


class Case(Enum):
    """Who wants what, and how it may end."""

    GOES = "goes"  # asks to be forgotten, nothing keeps her; somebody buys of her from the fence on
    STAYS = "stays"  # asks to be forgotten, but others wait for her next show
    WAITS = "waits"  # nothing keeps her but a service that does not answer
    RACES = "races"  # nothing keeps her yet, but somebody buys of her all the time
    BUYS = "buys"  # tickets, and pays for them
    RETURNS = "returns"  # tickets that are paid
    CALLS_OFF = "calls off"  # shows that are sold

    @property
    def ends(self) -> tuple[str, ...]:
        """The states in which it may end."""
        return _ENDS[self]


_ENDS = {
    Case.GOES: (COMPLETED,),
    Case.STAYS: (REFUSED,),
    Case.WAITS: (REFUSED,),
    Case.RACES: (COMPLETED, REFUSED),
    Case.BUYS: (CONFIRMED,),
    Case.RETURNS: (REFUNDED,),
    Case.CALLS_OFF: (COMPLETED,),
}

SALES = (Case.BUYS, Case.RETURNS, Case.CALLS_OFF)
