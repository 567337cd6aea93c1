"""What template functions answer.  The expected values are those of Microsoft's function reference and of the
evaluation tests of the Bicep compiler, restated.
"""

from __future__ import annotations

import uuid

import pytest

from aks_egress.values import Value
from aks_egress_scan.readers.expressions.evaluate import Asked, Context, evaluate
from aks_egress_scan.readers.expressions.functions import function, names
from aks_egress_scan.readers.expressions.limits import Budget
from aks_egress_scan.readers.expressions.signatures import FunctionProblemError
from aks_egress_scan.readers.expressions.syntax import parse


class Nothing:
    """A template without anything."""

    def __init__(self) -> None:
        self.budget = Budget()

    def asked(self, name: str) -> Asked | None:
        return None


def value_of(text: str) -> Value:
    return evaluate(parse(f"[{text}]"), Context(Nothing()))


NUMBERS: dict[str, Value] = {
    "add(5, 3)": 8,
    "sub(7, 20)": -13,
    "mul(5, -3)": -15,
    "div(8, 3)": 2,
    "div(-7, 2)": -3,
    "mod(7, 3)": 1,
    "mod(-7, 3)": -1,
    "int('4')": 4,
    "float('3.5')": 3.5,
    "min(0, 3, 2, 5, 4)": 0,
    "max(createArray(0, 3, 2, 5, 4))": 5,
    "range(5, 3)": [5, 6, 7],
    "range(0, 0)": [],
}
LOGIC: dict[str, Value] = {
    "and(bool('true'), bool('false'))": False,
    "or(false(), equals(1, 1))": True,
    "not(true())": False,
    "bool(0)": False,
    "bool(2)": True,
    "if(equals('a', 'a'), 'yes', 'no')": "yes",
    "if(false(), div(1, 0), 'the branch not taken is not evaluated')": "the branch not taken is not evaluated",
    "or(true(), div(1, 0))": True,
    "coalesce(null(), null(), 123)": 123,
    "coalesce(null())": None,
    "equals('a', 'A')": False,
    "equals(1, '1')": False,
    "equals(createObject('a', 1), createObject('A', 1))": True,
    "less('apple', 'banana')": True,
    "lessOrEquals(3, 3)": True,
    "greater(1, 2)": False,
    "greaterOrEquals('b', 'a')": True,
    "true": True,
    "null": None,
}
TEXT: dict[str, Value] = {
    "concat('prefix', '-', 5, 'end')": "prefix-5end",
    "concat(createArray(1), createArray(2, 3))": [1, 2, 3],
    "format('{0}, {1}. Formatted number: {2:N0}', 'Hello', 'User', 8175133)": "Hello, User. Formatted number: 8,175,133",
    "format('{0:D3}|{1,5}|{1,-5}|{2:X4}|{{0}}', 7, 'ab', 255)": "007|   ab|ab   |00FF|{0}",
    "format('>{0}<>{1}<>{2}<>{3}<>{4}<', false(), 12948, 'hello!', json('{\"a\":\"b\",\"!c\":2}'), createArray(true(), 2893, 'abc'))": (
        ">False<>12948<>hello!<>{'a':'b','!c':2}<>[true,2893,'abc']<"
    ),
    "string(createObject('valueA', 10, 'valueB', 'Example Text'))": '{"valueA":10,"valueB":"Example Text"}',
    "string(5)": "5",
    "toLower('One Two Three')": "one two three",
    "toUpper('One Two Three')": "ONE TWO THREE",
    "trim('    one two three   ')": "one two three",
    "length('One Two Three')": 13,
    "length(createObject('a', 1, 'b', 2))": 2,
    "empty('')": True,
    "empty(createArray())": True,
    "empty(null())": True,
    "startsWith('abcdef', 'AB')": True,
    "endsWith('abcdef', 'F')": True,
    "indexOf('abcdef', 'CD')": 2,
    "lastIndexOf('test', 't')": 3,
    "indexOf('abcdef', 'z')": -1,
    "contains('OneTwoThree', 'e')": True,
    "contains('OneTwoThree', 'z')": False,
    "substring('one two three', 4, 3)": "two",
    "substring('one two three', 8)": "three",
    "replace('123-123-1234', '-', '')": "1231231234",
    "split('one;two,three', createArray(',', ';'))": ["one", "two", "three"],
    "join(createArray('abc', 'def', 'ghi'), ',')": "abc,def,ghi",
    "padLeft('123', 10, '0')": "0000000123",
    "like('Hello World', 'hello*o*d')": True,
    "like('Hello', 'h*x')": False,
    "json('{\"a\": [1, 2.5, null, true]}')": {"a": [1, 2.5, None, True]},
    "json('{''one'': ''a''}')": {"one": "a"},
    "base64('one, two, three')": "b25lLCB0d28sIHRocmVl",
    "base64ToString('b25lLCB0d28sIHRocmVl')": "one, two, three",
    "base64ToJson(base64('{''one'': ''a'', ''two'': ''b''}'))": {"one": "a", "two": "b"},
    "dataUri('Hello')": "data:text/plain;charset=utf8;base64,SGVsbG8=",
    "dataUriToString('data:;base64,SGVsbG8sIFdvcmxkIQ==')": "Hello, World!",
    "uriComponent('http://contoso.com/a b')": "http%3A%2F%2Fcontoso.com%2Fa%20b",
    "uriComponentToString('a%20b')": "a b",
    "uri('http://contoso.org/firstpath', 'myscript.sh')": "http://contoso.org/myscript.sh",
    "uri('http://contoso.org/firstpath/', 'myscript.sh')": "http://contoso.org/firstpath/myscript.sh",
    "buildUri(createObject('scheme', 'https', 'host', 'a.b', 'path', 'c', 'port', 8080))": "https://a.b:8080/c",
    "parseUri('https://a.b:8080/c?d').port": 8080,
    "'it''s'": "it's",
}
COLLECTIONS: dict[str, Value] = {
    "array('a')": ["a"],
    "createArray('a', 1)": ["a", 1],
    "createObject('a', 1, 'b', createArray(2))": {"a": 1, "b": [2]},
    "contains(createArray('one', 'two'), 'TWO')": False,
    "contains(createObject('one', 'a'), 'ONE')": True,
    "first(createArray('one', 'two'))": "one",
    "last('One Two')": "o",
    "skip(createArray(1, 2, 3), 2)": [3],
    "take('One Two', 3)": "One",
    "take(createArray(1, 2), 5)": [1, 2],
    "flatten(createArray(createArray(0, 1), createArray(2)))": [0, 1, 2],
    "union(createArray('one', 'two'), createArray('three', 'two'))": ["one", "two", "three"],
    "union(createObject('a', createObject('x', 1), 'b', createArray(1)), createObject('A', createObject('y', 2), 'b', createArray(2)))": {
        "a": {"x": 1, "y": 2},
        "b": [2],
    },
    "intersection(createArray(1, 2, 3), createArray(3, 2))": [2, 3],
    "intersection(createObject('a', 1, 'b', 2), createObject('a', 1, 'b', 3))": {"a": 1},
    "shallowMerge(createArray(createObject('a', createObject('x', 1)), createObject('a', createObject('y', 2))))": {
        "a": {"y": 2}
    },
    "items(createObject('b', 2, 'a', 1))": [{"key": "a", "value": 1}, {"key": "b", "value": 2}],
    "objectKeys(createObject('a', 1, 'b', 2))": ["a", "b"],
    "distinct(createArray(1, 2, 1, '1'))": [1, 2, "1"],
    "tryGet(createObject('a', createArray(5)), 'a', 0)": 5,
    "tryGet(createObject('a', 1), 'b')": None,
    "tryGet(null(), 'b')": None,
    "createObject('a', null()).?a": None,
    "createArray(1, 2)[?5]": None,
    "indexFromEnd(createArray(1, 2, 3), 1)": 3,
    "tryIndexFromEnd(createArray(1), 4)": None,
    "indexOf(createArray('FOO', 'BAR'), 'BAR')": 1,
    "createObject('Name', 'x').name": "x",
    "createObject('a b', 1)['A B']": 1,
    "map(createArray('abc', 'def'), lambda('x', format('Hi {0}!', lambdaVariables('x'))))": [
        "Hi abc!",
        "Hi def!",
    ],
    "map(createArray('a', 'b'), lambda('x', 'i', lambdaVariables('i')))": [0, 1],
    "filter(range(0, 5), lambda('i', equals(0, mod(lambdaVariables('i'), 2))))": [0, 2, 4],
    "sort(createArray(8, 3, 10, -13), lambda('x', 'y', less(lambdaVariables('x'), lambdaVariables('y'))))": [
        -13,
        3,
        8,
        10,
    ],
    "reduce(range(1, 5), 1, lambda('c', 'n', mul(lambdaVariables('c'), lambdaVariables('n'))))": 120,
    "toObject(createArray(123, 456), lambda('i', string(div(lambdaVariables('i'), 100))))": {
        "1": 123,
        "4": 456,
    },
    "toObject(createArray(1), lambda('i', 'k'), lambda('i', add(lambdaVariables('i'), 1)))": {"k": 2},
    "groupBy(createArray('a1', 'b1', 'a2'), lambda('x', take(lambdaVariables('x'), 1)))": {
        "a": ["a1", "a2"],
        "b": ["b1"],
    },
    "groupBy(createArray('a1'), lambda('x', 'k'), lambda('x', last(lambdaVariables('x'))))": {"k": ["1"]},
    "mapValues(createObject('a', 123), lambda('v', mul(lambdaVariables('v'), 2)))": {"a": 246},
    "map(range(0, 2), lambda('i', map(range(0, 2), lambda('j', add(mul(lambdaVariables('i'), 10), lambdaVariables('j'))))))": [
        [0, 1],
        [10, 11],
    ],
}
NETWORKS: dict[str, Value] = {
    "parseCidr('10.144.0.0/20')": {
        "network": "10.144.0.0",
        "netmask": "255.255.240.0",
        "broadcast": "10.144.15.255",
        "firstUsable": "10.144.0.1",
        "lastUsable": "10.144.15.254",
        "cidr": 20,
    },
    "parseCidr('fdad:3236:5555::/48')": {
        "network": "fdad:3236:5555::",
        "netmask": "ffff:ffff:ffff::",
        "firstUsable": "fdad:3236:5555::",
        "lastUsable": "fdad:3236:5555:ffff:ffff:ffff:ffff:ffff",
        "cidr": 48,
    },
    "cidrSubnet('10.144.0.0/20', 24, 4)": "10.144.4.0/24",
    "cidrSubnet('fdad:3236:5555::/48', 52, 1)": "fdad:3236:5555:1000::/52",
    "cidrHost('10.144.3.0/24', 0)": "10.144.3.1",
    "cidrHost('10.144.3.0/24', 4)": "10.144.3.5",
}
DATES: dict[str, Value] = {
    "dateTimeAdd('2020-04-07 14:53:14Z', 'P3Y')": "2023-04-07T14:53:14Z",
    "dateTimeAdd('2020-04-07 14:53:14Z', '-P9D')": "2020-03-29T14:53:14Z",
    "dateTimeAdd('2020-04-07 14:53:14Z', 'PT1H', 'yyyy-MM-dd HH:mm')": "2020-04-07 15:53",
    "dateTimeAdd('2020-01-31', 'P1M')": "2020-02-29T00:00:00Z",
    "dateTimeToEpoch('2022-01-01T00:00:00Z')": 1640995200,
    "dateTimeFromEpoch(1640995200)": "2022-01-01T00:00:00Z",
}
ALL = NUMBERS | LOGIC | TEXT | COLLECTIONS | NETWORKS | DATES


@pytest.mark.parametrize(("text", "expected"), ALL.items(), ids=list(ALL))
def test_a_function_answers_as_its_reference_says(text: str, expected: Value) -> None:
    found = value_of(text)

    assert found == expected
    assert type(found) is type(expected)


REFUSED = {
    "nothingLikeThis(1)": "not known",
    "substring('a')": "does not take 1 argument",
    "substring('a', 'b')": "types (string, string)",
    "substring('abc', 2, 5)": "beyond text of 3",
    "div(1, 0)": "divides by zero",
    "mul(9223372036854775807, 2)": "64 bits",
    "createArray(1)[1]": "has no item [1]",
    "createArray(1)[-1]": "has no item [-1]",
    "createObject('a', 1).b": "no property `b`",
    "null().b": "null has no property",
    "int('x')": "whole number",
    "json('{')": "JSON",
    "cidrSubnet('10.0.0.0/16', 8, 0)": "cannot cut",
    "cidrSubnet('10.0.0.0/16', 17, 2)": "no /17 with the index 2",
    "cidrHost('10.0.0.0/30', 3)": "no host",
    "parseCidr('10.0.0.1')": "no CIDR range",
    "if('x', 1, 2)": "true or false",
    "format('{1}', 'a')": "no argument for `{1}`",
    "range(0, 10001)": "10000",
    "createObject('a')": "in pairs",
    "lambdaVariables('x')": "lambda",
    "map(createArray(1), 5)": "types (array, int)",
    "createArray(lambda('x', 1))": "types (lambda)",
    "dateTimeAdd('2020-01-01', 'P')": "duration",
    "dateTimeAdd('9999-12-31', 'P1D')": "calendar",
    "padLeft('a', 5, 'ab')": "one character",
    "min(createArray('a'))": "whole numbers",
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.items(), ids=list(REFUSED))
def test_what_azure_refuses_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(FunctionProblemError) as caught:
        value_of(text)

    assert reason in str(caught.value)


def test_unique_strings_depend_on_their_arguments_alone() -> None:
    found = value_of("uniqueString('a', 'b')")

    assert isinstance(found, str)
    assert len(found) == 13
    assert found == value_of("uniqueString('a', 'b')") != value_of("uniqueString('a', 'c')")


def test_a_guid_is_the_named_uuid_of_its_arguments_joined_by_hyphens() -> None:
    namespace = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")

    assert value_of("guid('a', 'b')") == str(uuid.uuid5(namespace, "a-b"))


def test_every_name_that_the_table_announces_is_in_it() -> None:
    assert [name for name in names() if function(name) is None] == []


def test_every_function_of_the_table_is_tried_here() -> None:
    tried = " ".join([*ALL, *REFUSED]).casefold() + " uniquestring( guid("

    assert [name for name in names() if f"{name}(" not in tried] == []
