"""Functions on lists and objects.  Property names are compared without case; `union` merges objects within objects.

Microsoft: "Array functions" and "Object functions for ARM templates".
"""

from __future__ import annotations

from collections.abc import Iterable

from aks_egress.values import Unknown, Value, get
from aks_egress_scan.readers.expressions.functions.logic import compared
from aks_egress_scan.readers.expressions.signatures import FunctionProblemError, define
from aks_egress_scan.readers.expressions.unsettled import OpenText, Runtime, spelled, unsettled

Object = dict[str, Value]


@define("array", "any", partial=True)
def _array(value: Value) -> Value:
    return (
        unsettled("array", (value,))
        if isinstance(value, Unknown)
        else value
        if isinstance(value, list)
        else [value]
    )


@define("createArray", "any...", "", partial=True)
def _create_array(*values: Value) -> Value:
    return list(values)


@define("createObject", "any...", "", partial=True)
def _create_object(*pairs: Value) -> Value:
    if len(pairs) % 2:
        raise FunctionProblemError("`createObject` takes names and values in pairs")
    made: Object = {}
    for i in range(0, len(pairs), 2):
        key = pairs[i]
        if isinstance(key, Unknown):
            return unsettled("createObject", pairs)
        if not isinstance(key, str):
            raise FunctionProblemError("`createObject` takes text for names")
        made[str(key)] = pairs[i + 1]
    return made


@define("contains", "array, any", "object, string", "string, string|int", partial=True, costly=True)
def _contains(holder: Value, wanted: Value) -> Value:
    if isinstance(holder, list):
        return _holds(holder, wanted)
    if isinstance(holder, Runtime) and _declares(holder, wanted):
        return True
    if isinstance(holder, dict) and isinstance(wanted, str):
        return any(key.casefold() == wanted.casefold() for key in holder)
    if isinstance(holder, str) and isinstance(wanted, str | int) and not isinstance(holder, OpenText):
        return spelled(wanted) in holder
    return unsettled("contains", (holder, wanted))


def _holds(holder: list[Value], wanted: Value) -> Value:
    answers = [compared(item, wanted) for item in holder]
    if True in answers:
        return True
    return unsettled("contains", (holder, wanted)) if None in answers else False


def _declares(holder: Runtime, wanted: Value) -> bool:
    """Whether the template gives a part that Azure will answer with."""
    return (
        isinstance(holder.declared, dict)
        and isinstance(wanted, str)
        and get(holder.declared, wanted) is not None
    )


@define("indexOf", "array, any", whole=True)
def _index_of(holder: list[Value], wanted: Value) -> Value:
    return next((i for i, item in enumerate(holder) if compared(item, wanted)), -1)


@define("lastIndexOf", "array, any", whole=True)
def _last_index_of(holder: list[Value], wanted: Value) -> Value:
    return next((i for i in range(len(holder) - 1, -1, -1) if compared(holder[i], wanted)), -1)


@define("first", "string|array")
def _first(value: str | list[Value]) -> Value:
    return value[0] if value else "" if isinstance(value, str) else None


@define("last", "string|array")
def _last(value: str | list[Value]) -> Value:
    return value[-1] if value else "" if isinstance(value, str) else None


@define("skip", "string|array, int")
def _skip(value: str | list[Value], count: int) -> Value:
    return value[max(count, 0) :]


@define("take", "string|array, int")
def _take(value: str | list[Value], count: int) -> Value:
    return value[: max(count, 0)]


@define("flatten", "array", partial=True)
def _flatten(value: Value) -> Value:
    if isinstance(value, Unknown) or any(isinstance(one, Unknown) for one in value):  # type: ignore[union-attr]
        return unsettled("flatten", (value,))
    return [one for part in value for one in (part if isinstance(part, list) else [part])]  # type: ignore[union-attr]


@define("union", "array...", partial=True, costly=True)
@define("union", "object...", partial=True, costly=True)
def _union(*values: Value) -> Value:
    if any(isinstance(one, Unknown) for one in values):
        return unsettled("union", values)
    if all(isinstance(one, list) for one in values):
        return _distinct(item for one in values for item in one)  # type: ignore[union-attr]
    merged: Value = {}
    for one in values:
        merged = merged_deep(merged, one)
    return merged


@define("distinct", "array", whole=True)
def _distinct_of(values: list[Value]) -> Value:
    return _distinct(values)


def _distinct(items: Iterable[Value]) -> list[Value]:
    out: list[Value] = []
    seen: set[tuple[type, str]] = set()
    for item in items:
        key = (type(item), spelled(item))
        if isinstance(item, Unknown) or key not in seen:
            out.append(item)
            seen.add(key)
    return out


def merged_deep(left: Value, right: Value) -> Value:
    """Two objects as one, objects within them merged likewise; everything else is the right one's."""
    if not isinstance(left, dict) or not isinstance(right, dict):
        return right
    out = dict(left)
    names = {key.casefold(): key for key in left}
    for key, value in right.items():
        known = names.setdefault(key.casefold(), key)
        out[known] = merged_deep(out[known], value) if known in out else value
    return out


@define("shallowMerge", "array", partial=True)
def _shallow_merge(parts: Value) -> Value:
    if not isinstance(parts, list) or any(isinstance(one, Unknown) for one in parts):
        return unsettled("shallowMerge", (parts,))
    out: Object = {}
    for part in parts:
        if isinstance(part, dict):
            for key, value in part.items():
                out[next((known for known in out if known.casefold() == key.casefold()), key)] = value
        elif part is not None:
            raise FunctionProblemError("`shallowMerge` takes a list of objects")
    return out


@define("intersection", "array...", whole=True)
@define("intersection", "object...", whole=True)
def _intersection(first: Value, *others: Value) -> Value:
    kept = first
    for other in others:
        if isinstance(kept, list) and isinstance(other, list):
            kept = [one for one in _distinct(kept) if any(compared(one, item) for item in other)]
        elif isinstance(kept, dict) and isinstance(other, dict):
            kept = {
                key: value
                for key, value in kept.items()
                if value is not None and compared(get(other, key), value)
            }
    return kept


@define("items", "object")
def _items(value: Object) -> Value:
    return [{"key": key, "value": value[key]} for key in sorted(value, key=str.casefold)]


@define("objectKeys", "object")
def _object_keys(value: Object) -> Value:
    return [*sorted(value, key=str.casefold)]


@define("tryGet", "any, string|int...", partial=True)
def _try_get(value: Value, *path: Value) -> Value:
    for key in path:
        if value is None:
            return None
        told_later = isinstance(value, Runtime) and isinstance(key, str | int)
        value = value.step(key) if told_later else looked_up(value, key, safe=True)  # type: ignore[union-attr]
    return value


@define("indexFromEnd", "array, int")
def _index_from_end(value: list[Value], index: int) -> Value:
    return looked_up(value, len(value) - index, safe=False)


@define("tryIndexFromEnd", "array, int", "null, int")
def _try_index_from_end(value: list[Value] | None, index: int) -> Value:
    return None if value is None else looked_up(value, len(value) - index, safe=True)


def looked_up(value: Value, key: Value, *, safe: bool) -> Value:
    """The property or item of a value that is no unknown; raises FunctionProblemError unless `safe`."""
    if isinstance(value, Unknown) or isinstance(key, Unknown):
        return unsettled("tryGet", (value, key))
    if isinstance(value, list) and isinstance(key, int) and not isinstance(key, bool):
        if 0 <= key < len(value):
            return value[key]
        said = f"a list of {len(value)} has no item [{key}]"
    elif isinstance(value, dict) and isinstance(key, str):
        if any(name.casefold() == key.casefold() for name in value):
            return get(value, key)
        said = f"an object has no property `{key}`"
    elif value is None:
        said = f"null has no property `{spelled(key)}`"
    else:
        said = "a property is asked of something that has none"
    if safe:
        return None
    raise FunctionProblemError(said)
