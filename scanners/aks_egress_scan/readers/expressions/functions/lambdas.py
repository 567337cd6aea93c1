"""Functions that take a lambda.

Microsoft: "Lambda functions for ARM templates".  Where the lambda cannot say what belongs, the whole answer
is unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key

from aks_egress.values import Unknown, Value
from aks_egress_scan.readers.expressions.signatures import FunctionProblemError, define
from aks_egress_scan.readers.expressions.unsettled import OpenText, unsettled

Body = Callable[..., Value]
Object = dict[str, Value]


@define("map", "array, lambda")
def _map(values: list[Value], body: Body) -> Value:
    return [body(value, i) for i, value in enumerate(values)]


@define("filter", "array, lambda")
def _filter(values: list[Value], keep: Body) -> Value:
    answers = [keep(value, i) for i, value in enumerate(values)]
    if any(isinstance(answer, Unknown | OpenText) for answer in answers):
        return unsettled("filter", answers)
    if not all(isinstance(answer, bool) for answer in answers):
        raise FunctionProblemError("the lambda of `filter` answers true or false")
    return [value for value, answer in zip(values, answers, strict=True) if answer]


@define("reduce", "array, any, lambda")
def _reduce(values: list[Value], start: Value, body: Body) -> Value:
    found = start
    for i, value in enumerate(values):
        found = body(found, value, i)
    return found


@define("sort", "array, lambda")
def _sort(values: list[Value], before: Body) -> Value:
    """Sorted by a lambda that says whether its first argument comes before its second."""
    doubts: list[Value] = []

    def compare(left: Value, right: Value) -> int:
        answer = before(left, right)
        if isinstance(answer, Unknown | OpenText):
            doubts.append(answer)
            return 0
        return -1 if answer is True else 1 if before(right, left) is True else 0

    found = sorted(values, key=cmp_to_key(compare))
    return unsettled("sort", doubts) if doubts else found


@define("groupBy", "array, lambda, lambda?")
def _group_by(values: list[Value], key_of: Body, value_of: Body | None = None) -> Value:
    groups: dict[str, list[Value]] = {}
    for i, value in enumerate(values):
        key = key_of(value, i)
        if isinstance(key, Unknown | OpenText):
            return unsettled("groupBy", (key,))
        member = value if value_of is None else value_of(value, i)
        groups.setdefault(_text("groupBy", key), []).append(member)
    return {key: list(members) for key, members in groups.items()}


@define("toObject", "array, lambda, lambda?")
def _to_object(values: list[Value], key_of: Body, value_of: Body | None = None) -> Value:
    made: Object = {}
    for i, value in enumerate(values):
        key = key_of(value, i)
        if isinstance(key, Unknown):
            return unsettled("toObject", (key,))
        made[_text("toObject", key)] = value if value_of is None else value_of(value, i)
    return made


@define("mapValues", "object, lambda")
def _map_values(values: Object, body: Body) -> Value:
    return {key: body(value) for key, value in values.items()}


def _text(name: str, key: Value) -> str:
    if not isinstance(key, str):
        raise FunctionProblemError(f"the lambda of `{name}` answers text")
    return str(key)
