"""What callers of a released API could no longer rely on."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from contracts.documents import Document, Operation, Schema, operations, resolved

ANY = "anything"
# with the sign with which what is sent must not be less than what is taken
_BOUNDS = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems"), 1),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems"), -1),
}


class Way(Enum):
    """Which way something is sent: the sender must keep to what the receiver takes."""

    REQUEST = "request"  # callers of the released API send, the current service receives
    ANSWER = "answer"  # the current service sends, callers of the released API receive


def breaking_changes(released: Document, current: Document) -> list[str]:
    """Return in words what breaks callers of the released API; nothing if nothing does.

    Callers ignore members of an answer that they do not know; services refuse unknown ones.
    """
    now = {_same(each): each for each in operations(current)}
    found: list[str] = []
    for before in operations(released):
        after = now.get(_same(before))
        if after is None:
            found.append(f"{before} was removed")
        else:
            found += [f"{before} {what}" for what in _Change(before, after).breaks()]
    return list(dict.fromkeys(found))


def _same(operation: Operation) -> tuple[str, str]:
    """Return what an operation is known by: the names of a path's parameters are nobody's."""
    return operation.method, re.sub(r"\{\w+\}", "{}", operation.path)


@dataclass(frozen=True, slots=True)
class _Change:
    """An operation as it was released, and as it is."""

    before: Operation
    after: Operation

    def breaks(self) -> Iterator[str]:
        yield from self._access()
        yield from self._parameters()
        yield from self._body()
        yield from self._responses()

    def _access(self) -> Iterator[str]:
        before, after = self.before.access, self.after.access
        if after not in {before, "everyone"}:
            yield f"was for: {before}; is for: {after}"

    def _parameters(self) -> Iterator[str]:
        before, after = _parameters(self.before), _parameters(self.after)
        for place, was in before.items():
            name = f"{was['in']}: {was['name']}"
            if place not in after:
                yield f"{name} was removed"
            elif after[place].get("required") and not was.get("required"):
                yield f"{name} is now required"
            else:
                yield from self._schema(was, after[place], name, Way.REQUEST)
        for place, new in after.items():
            if place not in before and new.get("required"):
                yield f"{new['in']}: {new['name']} is new and required"

    def _body(self) -> Iterator[str]:
        before, after = self.before.body, self.after.body
        if after.get("required") and not before.get("required"):
            yield "body is now required"
        yield from self._content(before, after, "body", Way.REQUEST)

    def _responses(self) -> Iterator[str]:
        after = self.after.responses
        for status, was in self.before.responses.items():
            if status not in after:
                yield f"{status} was removed"
                continue
            yield from self._content(was, after[status], status, Way.ANSWER)
            for header in was.get("headers", {}).keys() - after[status].get("headers", {}).keys():
                yield f"{status}: header {header} was removed"

    def _content(
        self, before: Mapping[str, Any], after: Mapping[str, Any], where: str, way: Way
    ) -> Iterator[str]:
        for media_type, was in before.get("content", {}).items():
            now = after.get("content", {}).get(media_type)
            if now is None:
                yield f"{where}: {media_type} was removed"
            else:
                yield from self._schema(was, now, where, way)

    def _schema(
        self, before: Mapping[str, Any], after: Mapping[str, Any], where: str, way: Way
    ) -> Iterator[str]:
        comparison = _Comparison(self.before.document, self.after.document, way)
        for what in comparison.breaks(before.get("schema", {}), after.get("schema", {})):
            yield f"{where}: {what}"


def _parameters(operation: Operation) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Return an operation's parameters; those of the path are known by their position in it."""
    position = {name: str(at) for at, name in enumerate(re.findall(r"\{(\w+)\}", operation.path))}
    return {
        (each["in"], position[each["name"]] if each["in"] == "path" else each["name"]): each
        for each in operation.parameters
    }


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Two schemas of what is sent the same way, member by member."""

    released: Document
    current: Document
    way: Way

    def breaks(self, before: Schema, after: Schema, name: str = "") -> Iterator[str]:
        was, now = _alternatives(self.released, before), _alternatives(self.current, after)
        sent, received = (was, now) if self.way is Way.REQUEST else (now, was)
        for each in sent:
            takers = [taker for taker in received if _takes(taker, _type(each))]
            if takers:
                ways = [list(self._differences(each, taker, name)) for taker in takers]
                yield from min(ways, key=len)
            else:
                yield self._about(name, f"{self._may} be {_type(each)}")

    @property
    def _may(self) -> str:
        return "may not any more" if self.way is Way.REQUEST else "may now"

    def _about(self, name: str, what: str) -> str:
        return f"{name} {what}" if name else what

    def _differences(self, sent: Schema, received: Schema, name: str) -> Iterator[str]:
        for what in (*self._values(sent, received), *self._bounds(sent, received)):
            yield self._about(name, what)
        yield from self._members(sent, received, name)
        if "items" in sent and "items" in received:
            yield from self._nested(sent["items"], received["items"], f"{name}[]")
        of_sent, of_received = (each.get("additionalProperties") for each in (sent, received))
        if isinstance(of_sent, Mapping) and isinstance(of_received, Mapping):
            yield from self._nested(of_sent, of_received, f"{name}.*")
        elif self.way is Way.REQUEST and of_received is False and of_sent is not False:
            yield self._about(name, "may not any more have unknown members")

    def _nested(self, sent: Schema, received: Schema, name: str) -> Iterator[str]:
        before, after = (sent, received) if self.way is Way.REQUEST else (received, sent)
        yield from self.breaks(before, after, name)

    def _values(self, sent: Schema, received: Schema) -> Iterator[str]:
        """Compare enumerations, formats and patterns."""
        if "enum" in received:
            if "enum" not in sent:
                yield f"{self._may} be anything"
            for value in sent.get("enum", ()):
                if value not in received["enum"]:
                    yield f"{self._may} be {value}"
        for kind in ("format", "pattern"):
            if kind in received and sent.get(kind) != received[kind]:
                yield from self._changed(kind, sent, received)

    def _bounds(self, sent: Schema, received: Schema) -> Iterator[str]:
        for kind, sign in _BOUNDS.items():
            if kind not in received:
                continue
            if kind not in sent or sign * sent[kind] < sign * received[kind]:
                yield from self._changed(kind, sent, received)

    def _changed(self, kind: str, sent: Schema, received: Schema) -> Iterator[str]:
        before, after = (sent, received) if self.way is Way.REQUEST else (received, sent)
        was = f"had {kind} {before[kind]}" if kind in before else f"had no {kind}"
        yield f"{was}, has {after.get(kind, 'none')}"

    def _members(self, sent: Schema, received: Schema, name: str) -> Iterator[str]:
        ours, theirs = sent.get("properties", {}), received.get("properties", {})
        before, after = (ours, theirs) if self.way is Way.REQUEST else (theirs, ours)
        prefix = f"{name}." if name else ""
        for member in before:
            if member not in after:
                yield f"{prefix}{member} was removed"
            else:
                yield from self.breaks(before[member], after[member], f"{prefix}{member}")
        certain = sent.get("required", ())
        for member in received.get("required", ()):
            if member in certain or (self.way is Way.ANSWER and member not in after):
                continue
            news = "is required now" if self.way is Way.REQUEST else "may be absent now"
            yield f"{prefix}{member} {news}"


def _alternatives(document: Document, schema: Schema) -> Sequence[Schema]:
    """Return the schemas, each of one type, of which a value fits one."""
    schema = resolved(document, schema)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return [found for each in schema[choice] for found in _alternatives(document, each)]
    types = schema.get("type", ANY)
    return [{**schema, "type": each} for each in ([types] if isinstance(types, str) else types)]


def _type(schema: Schema) -> str:
    return str(schema["type"])


def _takes(receiver: Schema, sent: str) -> bool:
    return _type(receiver) in {sent, ANY} or (sent, _type(receiver)) == ("integer", "number")
