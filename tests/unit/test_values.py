"""Values: reading by path keeps unknowns, and nothing turns one into a default."""

from __future__ import annotations

import pytest

from aks_egress.values import NOWHERE, Origin, Reference, Unknown, at, flag, get, items, text, unknowns

LOST = Unknown("known only after deployment", Origin("plan.json", 3))


def test_property_names_ignore_case_and_the_exact_spelling_comes_first() -> None:
    """ARM does not tell `addressPrefix` from `AddressPrefix`."""
    assert get({"AddressPrefix": "10.0.0.0/8"}, "addressprefix") == "10.0.0.0/8"
    assert get({"a": 1, "A": 2}, "A") == 2
    assert get({"a": 1}, "b") is None


@pytest.mark.parametrize("value", [None, "text", 3, ["a"], True])
def test_a_property_of_what_is_no_object_is_missing(value: object) -> None:
    """No error, and no unknown either."""
    assert get(value, "name") is None  # type: ignore[arg-type]


def test_an_unknown_swallows_the_rest_of_the_path() -> None:
    """Whatever is asked of it, it is itself."""
    assert at({"properties": LOST}, "properties", "subnets", 0, "id") is LOST
    assert at({"rows": [LOST]}, "rows", 0) is LOST
    assert get(LOST, "anything") is LOST


def test_indexes_outside_a_list_are_missing() -> None:
    """As a missing property is."""
    assert at(["a"], 0) == "a"
    assert at(["a"], 1) is None
    assert at(["a"], -2) is None
    assert at({"0": "a"}, 0) is None


def test_every_unknown_inside_is_found_in_order() -> None:
    """Also in lists and in objects in lists."""
    other = Unknown("another")
    assert list(unknowns({"a": [1, LOST, {"b": other}], "c": LOST})) == [LOST, other, LOST]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" 443 ", "443"),
        (443, "443"),
        (443.0, "443"),
        ("", None),
        ("  ", None),
        (None, None),
        (10**30, "1" + "0" * 30),
    ],
)
def test_text_spells_numbers_and_takes_empty_text_as_absent(value: object, expected: str | None) -> None:
    """A port is a number in one dialect and text in another."""
    assert text(value) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [True, ["a"], {"a": 1}])
def test_what_is_no_text_is_unknown(value: object) -> None:
    """It is never spelled out of its Python form."""
    assert isinstance(text(value), Unknown)  # type: ignore[arg-type]


def test_text_keeps_an_unknown() -> None:
    """The same object, so its origin stays."""
    assert text(LOST) is LOST


@pytest.mark.parametrize(
    ("value", "expected"), [(None, True), (False, False), ("False", False), (" TRUE ", True)]
)
def test_a_flag_that_is_absent_is_the_documented_default(value: object, expected: bool) -> None:
    """Spelled Booleans are read."""
    assert flag(value, True) is expected  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["yes", 1, [], {}])
def test_a_flag_that_is_neither_is_unknown_and_not_the_default(value: object) -> None:
    """Silence is the default, nonsense is not."""
    assert isinstance(flag(value, True), Unknown)  # type: ignore[arg-type]


def test_a_flag_keeps_an_unknown() -> None:
    """Nothing turns an unknown into a default."""
    assert flag(LOST, False) is LOST


def test_items_take_one_thing_for_a_list_of_it() -> None:
    """Absent is empty, an unknown is itself and never an empty list."""
    assert items(None) == []
    assert items("") == []
    assert items("a") == ["a"]
    assert items(["a", LOST]) == ["a", LOST]
    assert items(LOST) is LOST


def test_a_known_line_stays_the_best_answer_for_its_parts() -> None:
    """A part's origin is the whole's, with the way there."""
    assert Origin("a.json", 7).child("properties", 2) == Origin("a.json", 7, ("properties", 2))
    assert NOWHERE.path == ""


def test_unknowns_compare_by_what_they_say() -> None:
    """So that two documents that say the same agree."""
    assert Unknown("a", refers_to=(Reference("/x"),)) == Unknown("a", refers_to=(Reference("/x"),))
    assert Unknown("a") != Unknown("b")
