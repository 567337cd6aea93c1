"""The catalogue is well-formed data: it fits its schema, and everything it names exists."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.generate import catalogue_digest

import aks_egress.requirements.catalogue as module
from aks_egress.packets.tags import Spelling, spelling
from aks_egress.requirements.binding import requirements
from aks_egress.requirements.catalogue import Entry, load
from aks_egress.requirements.conditions import value_of
from aks_egress.requirements.facts import FEATURES, described
from aks_egress.requirements.pools import POOL_KEYS
from aks_egress.requirements.tunnel import tunnel_mode

HERE = Path(module.__file__).parent
DATA: dict[str, Any] = json.loads((HERE / "catalogue.json").read_bytes())
ENTRIES = load().entries
IDS = [one.id for one in ENTRIES]


def test_it_fits_its_schema() -> None:
    schema = json.loads((HERE / "catalogue.schema.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    wrong = [
        f"{list(one.path)}: {one.message}"
        for one in jsonschema.Draft202012Validator(schema).iter_errors(DATA)
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("member", "value"),
    [("role", "tunel"), ("necessity", "must"), ("clouds", ["moon"]), ("ports", [0]), ("titel", "x")],
)
def test_the_schema_refuses_a_slip(member: str, value: object) -> None:
    schema = json.loads((HERE / "catalogue.schema.json").read_bytes())
    broken = {**DATA, "entries": [{**DATA["entries"][0], member: value}]}
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(broken))


def test_the_digest_belongs_to_the_data() -> None:
    assert catalogue_digest.render() == (HERE / "catalogue.json").read_text("utf-8")


def test_ids_are_unique() -> None:
    assert [name for name, count in Counter(IDS).items() if count > 1] == []


def test_every_documented_endpoint_of_every_cloud_is_there() -> None:
    """106 endpoints, 5 addresses of the platform and 13 flows inside the network."""
    inside = [one for one in ENTRIES if one.feature == "inside-the-network"]
    platform = [one for one in ENTRIES if one.role == "platform"]
    assert (len(ENTRIES) - len(inside) - len(platform), len(platform), len(inside)) == (106, 5, 13)


@pytest.mark.parametrize("entry", ENTRIES, ids=IDS)
def test_what_an_entry_names_exists(entry: Entry) -> None:
    catalogue = load()
    assert set(entry.counted_in) <= set(IDS)
    assert set(entry.sources) <= set(catalogue.sources)
    assert not any(line.startswith("@") for line in (*entry.breaks, *entry.errors))
    for one in entry.destinations:
        assert one.kind != "entry" or one.value in IDS
        for tag in one.tags:
            assert spelling(tag.replace("{region}", "westeurope"))[0] is Spelling.FINE


def test_every_source_and_shared_text_is_used() -> None:
    used = {key for row in (*DATA["entries"], *DATA["errors"]) for key in row["sources"]}
    assert used == set(DATA["sources"])
    lines = {line for row in DATA["entries"] for key in ("breaks", "errors") for line in row.get(key, ())}
    assert {line[1:] for line in lines if line.startswith("@")} == set(DATA["texts"])


def test_every_condition_is_about_a_fact_that_exists() -> None:
    facts = described(location="westeurope")
    conditions = [one.condition for one in ENTRIES]
    conditions += [to.when for one in ENTRIES for to in one.destinations]
    conditions += [one.raised[0] for one in ENTRIES if one.raised]
    for condition in conditions:
        for key in condition:
            if key not in POOL_KEYS:
                value_of(key, facts)


def test_every_feature_turns_on_a_fact_that_some_condition_reads() -> None:
    read = {key for one in ENTRIES for key in one.condition} | {"windows"}
    read |= {key for one in ENTRIES for to in one.destinations for key in to.when}
    silent = [name for name, facts in FEATURES.items() if not set(facts) & read]
    assert silent == []


@pytest.mark.parametrize("feature", sorted(FEATURES))
def test_every_feature_changes_what_some_cluster_needs(feature: str) -> None:
    """Beside API server VNet integration for KMS; with vaults, monitoring and registries for what narrows them."""
    beside = {
        "keyvault-private-endpoint": ["keyvault-csi"],
        "monitoring-private-link": ["monitoring"],
        "api-server-name-annotation": ["workloads-call-api-server"],
    }.get(feature, [])
    access = "vnet_integration" if feature == "kms-private-vault" else "public"

    def needs(*features: str) -> list[tuple[str, bool]]:
        facts = described(location="westeurope", api_access=access, features=[*beside, *features])
        return [(one.id, one.needed is True) for one in requirements(facts, tunnel_mode(facts, "auto"))]

    assert needs(feature) != needs()


def test_it_loads_in_a_blink() -> None:
    """Under 10 ms; the best of several, for a machine that has other things to do."""
    best = 1.0
    for _ in range(7):
        load.cache_clear()
        start = time.perf_counter()
        load()
        best = min(best, time.perf_counter() - start)
    assert best < 0.010


def test_tunnel_entries_say_that_kubectl_logs_breaks() -> None:
    silent = [
        one.id
        for one in ENTRIES
        if one.role == "tunnel"
        and not one.counted_in
        and not any("kubectl logs" in line for line in one.breaks)
    ]
    assert silent == []


def test_nothing_that_carries_client_certificates_goes_unmarked() -> None:
    to_server = [
        one for one in ENTRIES if one.destinations[0].kind == "api-server-ip" or "api-server" in one.id
    ]
    unmarked = [one.id for one in to_server if not one.mutual_tls and one.ports == ((443, 443),)]
    assert unmarked == []
