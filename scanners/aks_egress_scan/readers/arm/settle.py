"""Template JSON to values: every expression in it evaluated, `copy` in objects expanded.

Parts that come out of a `copy` do not stand where their path says; their places are noted.
"""

from __future__ import annotations

from typing import Any, Final

from aks_egress.records import record
from aks_egress.values import NOWHERE, Origin, Unknown, Value, get
from aks_egress_scan.readers.arm.world import File, Pointer, RefusedError, World
from aks_egress_scan.readers.expressions.evaluate import Context, evaluate
from aks_egress_scan.readers.expressions.limits import BoundsError
from aks_egress_scan.readers.expressions.signatures import FunctionProblemError
from aks_egress_scan.readers.expressions.syntax import SyntaxProblemError, is_expression, literal, parse
from aks_egress_scan.readers.expressions.unsettled import Unsettled, digest, placed, unsettled

COPY_LIMIT: Final = 800
_SHOWN: Final = 100


@record(frozen=True, slots=True)
class Spliced:
    """A list in the making, as Bicep writes it with `...`: single items, and lists whose items are taken in.

    `parts` say of each whether it is such a list; `whole` is all of it as one expression, for where that
    is not known.
    """

    parts: tuple[tuple[bool, Any], ...]
    whole: Any


@record(frozen=True, slots=True)
class Settler:
    """Evaluates the JSON of one file; `places` collects where expanded parts stand."""

    world: World
    file: File
    places: dict[Pointer, Origin] | None = None

    def value(self, node: Any, pointer: Pointer, context: Context, path: Pointer = ()) -> Value:
        """The value of a part of the template; `path` is where it will be in the body it belongs to."""
        if isinstance(node, str):
            return self.text(node, pointer, context) if node[:1] == "[" else node
        if isinstance(node, dict):
            return self._object(node, pointer, context, path)
        if isinstance(node, list):
            self.world.budget.spend(len(node))
            return [self.value(item, (*pointer, i), context, (*path, i)) for i, item in enumerate(node)]
        if isinstance(node, Spliced):
            return self._spliced(node, pointer, context, path)
        found: Value = node
        return found

    def _spliced(self, node: Spliced, pointer: Pointer, context: Context, path: Pointer) -> Value:
        made: list[Value] = []
        for i, (several, part) in enumerate(node.parts):
            here = (*pointer, i)
            found = self.value(part, here, context, () if several else (*path, len(made)))
            if several and not isinstance(found, list):
                return self.value(node.whole, pointer, context)
            for row in found if several and isinstance(found, list) else (found,):
                if self.places is not None and path:
                    self.places[(*path, len(made))] = self.file.place(here)
                made.append(row)
        self.world.budget.spend(len(made))
        return made

    def text(self, text: str, pointer: Pointer, context: Context) -> Value:
        """Text as it is, or the value of the expression that it holds."""
        if not is_expression(text):
            plain = literal(text)
            return self.text(plain, pointer, context.escaped) if context.escaped and plain != text else plain
        origin = self.file.place(pointer)
        try:
            found = evaluate(parse(text), context)
            if callable(found):
                raise FunctionProblemError("a lambda stands where a value is expected")
        except SyntaxProblemError as problem:
            said = f"`{_shown(text)}` is no expression: {problem.message} (character {problem.column})"
            raise self.world.refuse(said, origin) from None
        except (RefusedError, BoundsError) as problem:
            raise self.world.refuse(str(problem), origin) from None
        except FunctionProblemError as problem:
            said = f"`{self.file.quote(pointer) or _shown(text)}` cannot be evaluated: {problem}"
            self.world.notice("expression", said, origin)
            return Unsettled(said, origin, spelling=f"{{{digest(text)} {self.world.serial()}}}")
        if isinstance(found, Unknown) and found.origin == NOWHERE:
            return placed(found, origin)
        return found

    def _object(self, node: dict[str, Any], pointer: Pointer, context: Context, path: Pointer) -> Value:
        self.world.budget.spend(len(node))
        made: dict[str, Value] = {}
        for key, item in node.items():
            if is_copy(key, item):
                for i, loop in enumerate(item):
                    at = (*pointer, key, i)
                    name = str(get(loop, "name"))
                    made[name] = self.copies(loop, at, context, (*path, name))
                continue
            name_value = self.text(key, (*pointer, key), context) if key[:1] == "[" else key
            if not isinstance(name_value, str):
                return unsettled("object", (name_value,))
            name = str(name_value)
            made[name] = self.value(item, (*pointer, key), context, (*path, name))
        return made

    def copies(self, loop: dict[str, Any], pointer: Pointer, context: Context, path: Pointer = ()) -> Value:
        """The list that `{"name", "count", "input"}` makes."""
        count = self.count(loop, pointer, context)
        if isinstance(count, Unknown):
            return count
        name = str(get(loop, "name") or "")
        made: list[Value] = []
        for i in range(count):
            at = (*pointer, "input")
            if self.places is not None and path:
                self.places[(*path, i)] = self.file.place(at)
            made.append(self.value(get(loop, "input"), at, context.looping(name, i), (*path, i)))
        return made

    def count(self, loop: dict[str, Any], pointer: Pointer, context: Context) -> int | Unknown:
        """How often a loop runs: a whole number, or why nobody can say."""
        found = self.value(get(loop, "count"), (*pointer, "count"), context)
        origin = self.file.place((*pointer, "count"))
        if isinstance(found, Unknown):
            return found
        if isinstance(found, float) and found.is_integer():
            found = int(found)
        if not isinstance(found, int) or isinstance(found, bool):
            raise self.world.refuse("`count` of a `copy` is not a whole number", origin)
        if not 0 <= found <= COPY_LIMIT:
            raise self.world.refuse(
                f"a `copy` asks for {found} copies; Azure makes 0 to {COPY_LIMIT}", origin
            )
        self.world.budget.spend(found)
        return found


def is_copy(key: str, item: Any) -> bool:
    """Whether a member is a list of loops rather than a property that happens to be called `copy`."""
    return (
        key.casefold() == "copy"
        and isinstance(item, list)
        and bool(item)
        and all(isinstance(get(one, "name"), str) and get(one, "count") is not None for one in item)
    )


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
