"""Service tags: their names, what names say of each other, and their members where data is at hand."""

from __future__ import annotations

import pytest

from aks_egress.packets.addresses import parse
from aks_egress.packets.extents import Extent
from aks_egress.packets.intervals import EMPTY
from aks_egress.packets.names import Match
from aks_egress.packets.tags import (
    PUBLIC,
    ServiceTags,
    Spelling,
    azure_cloud_tag,
    canonical,
    looks_like_tag,
    relation,
    spelling,
)

YES, NO, MAYBE = Match.YES, Match.NO, Match.MAYBE


def _data(**members: list[str]) -> ServiceTags:
    rows = [
        {"name": name.replace("_", "."), "properties": {"addressPrefixes": prefixes}}
        for name, prefixes in members.items()
    ]
    return ServiceTags.from_json({"changeNumber": 398, "cloud": "Public", "values": rows})


@pytest.mark.parametrize(
    ("rule", "demand", "expected"),
    [
        ("AzureCloud", "AzureCloud.eastus", YES),
        ("azurecloud.EASTUS", "AzureCloud.eastus", YES),
        ("AzureCloud.westus", "AzureCloud.eastus", NO),
        ("AzureCloud.eastus", "AzureCloud", MAYBE),
        ("AzureCloud", "MicrosoftContainerRegistry", YES),
        ("AzureCloud", "Storage", MAYBE),
        ("AzureCloud", "Storage.eastus", YES),
        ("AzureCloud.eastus", "Storage.eastus", YES),
        ("AzureCloud.eastus", "Storage.westus", NO),
        ("AzureCloud.eastus", "MicrosoftContainerRegistry", MAYBE),
        ("AzureCloud", "AzureFrontDoor.FirstParty", NO),
        ("AzureFrontDoor.FirstParty", "AzureCloud.eastus", NO),
        ("AzureFrontDoor.FirstParty", "AzureFrontDoor.FirstParty", YES),
        ("AzureActiveDirectory", "AzureCloud", MAYBE),
        ("AzureCloud.francecentral", "AzureCloud.centralfrance", YES),
        ("Storage.eastus", "Sql.westus", NO),
    ],
)
def test_what_names_say_of_each_other(rule: str, demand: str, expected: Match) -> None:
    """Documented or measured containments, and maybe for all else."""
    assert relation(rule, demand) is expected


@pytest.mark.parametrize(
    ("location", "tag"),
    [
        ("West Europe", "AzureCloud.westeurope"),
        ("norwayeast", "AzureCloud.norwaye"),
        ("francecentral", "AzureCloud.centralfrance"),
    ],
)
def test_regions_that_azure_cloud_spells_in_its_own_way(location: str, tag: str) -> None:
    """The tag that Azure publishes."""
    assert azure_cloud_tag(location) == tag
    assert canonical(tag) == canonical(f"AzureCloud.{location.replace(' ', '')}")


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("Storage.WestEurope", Spelling.FINE),
        ("AzureCloud.norwayeast", Spelling.ALIAS),
        ("AzureKubernetesService", Spelling.IMPOSSIBLE),
        ("mcr.microsoft.com", Spelling.IMPOSSIBLE),
        ("contoso.com", Spelling.IMPOSSIBLE),
        ("AzureCloud.", Spelling.IMPOSSIBLE),
        ("AzureCloud.west europe", Spelling.IMPOSSIBLE),
    ],
)
def test_names_that_cannot_be_a_tag(tag: str, expected: Spelling) -> None:
    """There is no service tag AzureKubernetesService."""
    state, remark = spelling(tag)
    assert state is expected
    assert bool(remark) == (expected is not Spelling.FINE)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [("Storage", True), ("10.0.0.0/8", False), ("fe80::1", False), ("*", False), ("", False)],
)
def test_what_looks_like_a_tag(entry: str, expected: bool) -> None:
    """A letter first, and no address."""
    assert looks_like_tag(entry) is expected


def test_with_data_a_tag_is_its_prefixes() -> None:
    """Whatever its case, also by its region's other name."""
    tags = _data(AzureCloud_norwaye=["51.13.0.0/17"], Storage=["20.1.0.0/16", "20.1.4.0/22"])
    assert tags.extent("azurecloud.NorwayEast") == Extent.exactly(parse("51.13.0.0/17"))
    assert tags.by_length("Storage") == [(22, parse("20.1.4.0/22")), (16, parse("20.1.0.0/16"))]
    assert tags.change_number == 398


def test_a_tag_that_the_data_does_not_have_may_be_any_public_address() -> None:
    """Never the empty set: a Deny on it would vanish."""
    tags = _data(Storage=["20.1.0.0/16"])
    assert tags.extent("NewService") == Extent.within(PUBLIC)
    assert tags.by_length("NewService") is None


def test_without_data_the_names_decide_about_a_known_destination() -> None:
    """All public space, nothing, or maybe."""
    tags = ServiceTags()
    assert tags.extent("AzureCloud", "AzureCloud.eastus") == Extent.exactly(PUBLIC)
    assert tags.extent("AzureCloud.westus", "AzureCloud.eastus") == Extent.exactly(EMPTY)
    assert tags.extent("Storage", "AzureCloud.eastus") == Extent.within(PUBLIC)
    assert tags.extent("Storage") == Extent.within(PUBLIC)
    assert not tags


def test_damaged_members_are_not_read_as_none() -> None:
    """A prefix that is no prefix makes the tag unknown, not smaller."""
    tags = _data(Storage=["20.1.0.0/16", "nonsense"])
    assert tags.prefixes("Storage") is None
    assert tags.extent("Storage") == Extent.within(PUBLIC)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"values": {}},
        {"values": [{}]},
        {"values": [{"name": "A", "properties": {"addressPrefixes": "1.2.3.4"}}]},
    ],
)
def test_what_is_no_tag_file_is_refused(data: object) -> None:
    """With what is missing."""
    with pytest.raises(ValueError, match="no service-tag file"):
        ServiceTags.from_json(data)
