"""What one connection's messages say about its transactions."""

from collections import deque
from dataclasses import dataclass

from chaos.statements import Grammar, Statement
from chaos.wire import (
    BIND,
    COMPLETE,
    EMPTY,
    ERROR,
    EXECUTE,
    PARSE,
    QUERY,
    READY,
    SUSPENDED,
    SYNC,
    Frame,
)

_IDLE, _FAILED = b"I", b"E"  # how READY says that no transaction is open, or a failed one
_NAMED_CHANGES = 2  # of a transaction's, in its label


@dataclass(frozen=True, slots=True)
class _Awaited:
    """A message of the client's that the server answers."""

    kind: bytes
    statement: Statement


_NOTHING = Statement(commits=False, changes=())


class Conversation:
    """Follows a connection: tell it every message, in the order in which each side sent them.

    A message *commits* if it makes durable what its transaction wrote: `COMMIT`, as a simple or a
    prepared statement; `Sync` after statements outside of a transaction; a single simple query.
    """

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._prepared: dict[str, str] = {}
        self._portals: dict[str, str] = {}
        self._awaited: deque[_Awaited] = deque()
        self._in_block = False
        self._failed = False
        self._skipping = False  # an error has the server ignore everything up to the next Sync
        self._written: dict[str, None] = {}

    def may_commit(self, frame: Frame) -> bool:
        """Tell whether the client's next message may commit something that was written."""
        if frame.kind == SYNC:
            return not self._in_block and self._may_have_written()
        statement = self._statement(frame)
        if statement.commits:
            return self._may_have_written()
        return frame.kind == QUERY and not self._in_block and bool(statement.changes)

    @property
    def settled(self) -> bool:
        """Whether the server has answered all that it was sent."""
        return not self._awaited

    def label(self, frame: Frame) -> str:
        """Return what the client's next message would commit, empty if nothing.

        Right once the conversation is settled.
        """
        if self._failed or self._skipping or (frame.kind == SYNC and self._in_block):
            return ""
        changes = list(self._written)
        if frame.kind == QUERY:
            changes += self._statement(frame).changes
        return ", ".join(changes[:_NAMED_CHANGES])

    def sent(self, frame: Frame) -> None:
        """Note a message of the client's."""
        if frame.kind == PARSE:
            name, text = frame.texts(2)
            self._prepared[name] = text
        elif frame.kind == BIND:
            portal, name = frame.texts(2)
            self._portals[portal] = self._prepared.get(name, "")
        elif frame.kind in (QUERY, SYNC) or (frame.kind == EXECUTE and not self._skipping):
            self._awaited.append(_Awaited(frame.kind, self._statement(frame)))
            self._skipping = self._skipping and frame.kind == EXECUTE

    def received(self, frame: Frame) -> None:
        """Note a message of the server's."""
        if frame.kind == COMPLETE:
            self._completed(frame.texts(1)[0])
        elif frame.kind in (EMPTY, SUSPENDED):
            self._answered()
        elif frame.kind == ERROR:
            self._went_wrong()
        elif frame.kind == READY:
            self._became_ready(frame.body)

    def _statement(self, frame: Frame) -> Statement:
        if frame.kind == QUERY:
            return self._grammar.read(frame.texts(1)[0])
        if frame.kind == EXECUTE:
            return self._grammar.read(self._portals.get(frame.texts(1)[0], ""))
        return _NOTHING

    def _may_have_written(self) -> bool:
        return bool(self._written) or any(awaited.statement.changes for awaited in self._awaited)

    def _completed(self, tag: str) -> None:
        if tag == "BEGIN":
            self._in_block = True
        elif tag == "COMMIT":
            self._in_block = False
            self._written.clear()
        elif self._awaited and self._awaited[0].statement.wrote(tag):
            self._written |= dict.fromkeys(self._awaited[0].statement.changes)
        self._answered()

    def _answered(self) -> None:
        if self._awaited and self._awaited[0].kind == EXECUTE:
            self._awaited.popleft()

    def _went_wrong(self) -> None:
        while self._awaited and self._awaited[0].kind == EXECUTE:
            self._awaited.popleft()
        self._skipping = not self._awaited
        self._failed = True

    def _became_ready(self, status: bytes) -> None:
        if self._awaited:
            self._awaited.popleft()
        self._in_block = status != _IDLE
        self._failed = status == _FAILED
        if status == _IDLE:
            self._written.clear()
