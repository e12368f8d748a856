"""Somebody's deletion, asked for and watched from outside: what came of it, and was it right?"""

from contextlib import closing, suppress
from http import HTTPStatus
from uuid import UUID

import psycopg
import requests

from chaos.auditor import Auditor, broken_invariants
from chaos.buyer import Buyer
from chaos.cases import COMPLETED, Case
from chaos.evidence import Rows, Totals, differences, left_behind, losses, rows_about, totals
from chaos.people import Creator
from chaos.stage import Stage, wait_until
from devstack.visitor import Visitor
from service_kit.person_hashes import PersonHashes

_ASK_SECONDS = 60.0


class Deletion:
    """One creator's deletion."""

    def __init__(self, stage: Stage, creator: Creator, case: Case) -> None:
        self._stage = stage
        self._creator = creator
        self._case = case
        settings = stage.stack.settings
        self._hash = PersonHashes(settings["ERASURE_KEY"]).of(UUID(creator.id))
        self._auditor = Auditor(stage.stack.db_url("auditor"))
        self._before: tuple[Rows, Totals] = ({}, {})

    def close(self) -> None:
        """Stop watching, and send the creator home."""
        self._auditor.close()
        self._creator.visitor.close()

    def remember(self) -> None:
        """Remember how everything is before it is asked for."""
        self._before = self._evidence()

    def ask(self) -> None:
        """Ask to be forgotten, again and again until somebody has heard it.

        Raises:
            NeverTrue: nobody did.
        """
        wait_until(self._asked, "a deletion is heard of", seconds=_ASK_SECONDS)

    def meanwhile(self, buyer: Buyer) -> None:
        """Have the buyer buy all the time; of somebody who goes once nothing of hers is sold."""
        if self._case is Case.RACES or (self._case is Case.GOES and self._fenced()):
            buyer.covet(self._creator.on_sale)
        buyer.begin()

    def state(self) -> str:
        """Return how far it is; empty if nobody has heard of it, or nobody can be asked."""
        return self._one(
            "SELECT state::text FROM identity.account_deletion WHERE person_hash = %s"
            " ORDER BY requested_at DESC LIMIT 1"
        )

    def objections(self, buyer: Buyer) -> list[str]:
        """Return what is wrong now that it has ended, and the buyer has finished."""
        rows, money = self._evidence()
        before_rows, before_money = self._before
        state = self.state()
        found = losses(before_money, money)
        if state == COMPLETED:
            found += left_behind(self._stage, self._creator.values) + self._not_gone()
        else:
            spared = "booking." if self._case is Case.RACES else None  # of her tickets were sold
            found += differences(before_rows, rows, spared=spared) + self._not_here()
        lost_show = self._creator.on_sale if state == COMPLETED else ""
        with self._auditor.connection() as database:
            found += buyer.objections(database, lost_show) + broken_invariants(database)
        return found

    def _fenced(self) -> bool:
        """Tell whether booking sells nothing of the creator any more."""
        query = "SELECT state::text FROM booking.account_deletion WHERE person_hash = %s"
        return self._one(query) in ("FENCED", "PURGED")

    def _asked(self) -> bool:
        with suppress(requests.RequestException):
            answer = self._creator.visitor.post("/api/v1/profile/delete", timeout=20)
            if answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                return True
        return bool(self.state())

    def _evidence(self) -> tuple[Rows, Totals]:
        ids = (self._creator.id, *self._creator.own)
        with self._auditor.connection() as database:
            return rows_about(database, ids), totals(database)

    def _not_gone(self) -> list[str]:
        found = []
        if self._creator.visitor.get("/api/auth/session").json():
            found.append("the session of somebody who is gone still works")
        if self._see_show() != HTTPStatus.NOT_FOUND:
            found.append("a show of somebody who is gone is still seen")
        return found

    def _not_here(self) -> list[str]:
        found = []
        if not self._creator.visitor.get("/api/auth/session").json():
            found.append("the session of somebody who stays does not work")
        if self._see_show() != HTTPStatus.OK:
            found.append("a show of somebody who stays is not seen")
        if not self._on_sale():
            found.append("a show of somebody who stays is not sold")
        return found

    def _see_show(self) -> int:
        with closing(Visitor(self._stage.stack.url)) as passer_by:
            return passer_by.get(f"/api/v1/shows/{self._creator.on_sale}").status_code

    def _on_sale(self) -> bool:
        wish = {"showId": self._creator.on_sale, "quantity": 1}
        with closing(Visitor(self._stage.stack.url)) as passer_by:
            return passer_by.post("/api/v1/bookings/quote", wish).ok

    def _one(self, query: str) -> str:
        with suppress(psycopg.OperationalError), self._auditor.connection() as database:
            row = database.execute(query, (self._hash,)).fetchone()
            return str(row[0]) if row else ""
        return ""
