"""The real policy server over its real protocol, on what the example's real program registers."""

from __future__ import annotations

import copy
import json
import time
from pathlib import Path
from typing import Any

import pytest
from tests.pack.conftest import PROGRAM, stack, told
from tests.pack.engine import SECRET, SIGNATURE, Noted
from tests.pack.server import PACK, TOP, RefusedError, Server
from tests.pack.shapes import UNKNOWN
from tests.pack.stacks import crowd, named

from aks_egress_scan.__main__ import main

BROKEN = [
    ("konnectivity", "konnectivity", "nsg-system", "deny-all-out"),
    ("aks-link", "aks-link", "fw-hub", "implicit deny"),
    ("tunnelfront", "tunnelfront", "fw-hub", "implicit deny"),
    ("kubelet", "konnectivity", "nsg-user", "deny-kubelet-from-elsewhere"),
]
POLICIES = [
    "aks-settings",
    "aks-tunnel",
    "aks-required-endpoints",
    "aks-routing",
    "aks-firewall",
    "aks-security-groups",
    "aks-cluster-settings",
    "aks-undecided",
    "aks-internal-errors",
    "aks-open-tunnel",
]


def tunnel(mode: str) -> dict[str, Any]:
    return {"aks-settings": {"tunnel": mode}}


def test_policies_present_themselves(server: Server) -> None:
    """Level, severity, tags, steps, link and a described configuration for each."""
    infos = {one.name: one for one in server.info.policies}
    assert list(infos) == POLICIES
    levels = {name: one.enforcementLevel for name, one in infos.items()}
    assert [name for name, level in levels.items() if level == 1] == [
        "aks-tunnel",
        "aks-required-endpoints",
        "aks-internal-errors",
    ]
    assert levels["aks-open-tunnel"] == 2, "mending is off until somebody turns it on"
    for one in infos.values():
        assert one.severity
        assert one.tags
        assert one.remediation_steps
        assert one.url.startswith("https://learn.microsoft.com/")
        assert one.displayName
        properties = one.configSchema.properties
        assert {"cloud", "tunnel", "features", "appliances", "context", "serviceTags", "unknown"} <= set(
            properties
        )
        assert all(properties[name]["description"] for name in properties)


def test_a_sound_stack_is_let_through(server: Server) -> None:
    for mode in ("konnectivity", "aks-link", "tunnelfront"):
        server.configure(tunnel(mode))
        assert told(server.preview(stack("sound"))) == []


@pytest.mark.parametrize(("variant", "mode", "at_fault", "rule"), BROKEN)
def test_a_broken_tunnel_is_refused_at_the_resource_at_fault(
    server: Server, variant: str, mode: str, at_fault: str, rule: str
) -> None:
    server.configure(tunnel(mode))
    every = stack(variant)
    found = [one for one in server.preview(every) if one.policyName == "aks-tunnel"]
    assert [(one.enforcementLevel, one.urn) for one in found] == [(1, named(every, at_fault).urn)]
    assert rule in found[0].message
    assert "breaks kubectl logs" in found[0].message
    assert "fix " in found[0].message


@pytest.mark.parametrize("variant", ["konnectivity", "kubelet"])
def test_violations_say_what_scan_says(
    server: Server, variant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sentences of the findings, whoever prints them."""
    server.configure({})
    said = " ".join(" ".join(one.message.split()) for one in server.preview(stack(variant)))
    main(["scan", str(PROGRAM / "previews" / f"{variant}.json"), "--format", "json"])
    errors = [one for one in json.loads(capsys.readouterr().out)["findings"] if one["severity"] == "error"]
    assert errors
    for one in errors:
        assert one["message"] in said
        assert one["fix"] in said


def test_levels_are_the_users(server: Server) -> None:
    """Each policy can be made advisory, mandatory or nothing by itself."""
    server.configure(
        {
            "aks-tunnel": {"enforcementLevel": "advisory"},
            "aks-required-endpoints": {"enforcementLevel": "disabled"},
            "aks-security-groups": {"enforcementLevel": "mandatory"},
        }
    )
    assert told(server.preview(stack("konnectivity"))) == [
        ("aks-tunnel", "advisory", "nsg-system"),
        ("aks-security-groups", "mandatory", "nsg-system"),
    ]


def test_one_policy_may_have_settings_of_its_own(server: Server) -> None:
    server.configure({**tunnel("konnectivity"), "aks-tunnel": {"tunnel": "aks-link"}})
    found = [one for one in server.preview(stack("aks-link")) if one.policyName == "aks-tunnel"]
    assert len(found) == 1
    assert "UDP 1194" in found[0].message


def unknown_everywhere(value: Any) -> Any:
    """The value with every leaf unknown."""
    if isinstance(value, dict):
        return {key: unknown_everywhere(item) for key, item in value.items()}
    return [unknown_everywhere(item) for item in value] if isinstance(value, list) else UNKNOWN


def test_unknown_is_reported_as_such_and_never_passes(server: Server) -> None:
    """With everything unknown nothing is refused and nothing passes: the cluster's flows are undecided."""
    every = stack("konnectivity")
    for one in every:
        one.inputs, one.outputs = unknown_everywhere(one.inputs), unknown_everywhere(one.outputs)
    server.configure({})
    found = told(server.preview(every))
    assert found
    assert {policy for policy, _, _ in found} == {"aks-undecided"}
    assert {level for _, level, _ in found} == {"advisory"}
    server.configure({"aks-undecided": {"enforcementLevel": "mandatory"}})
    assert {level for _, level, _ in told(server.preview(every))} == {"mandatory"}
    server.configure({"aks-settings": {"unknown": "fail"}})
    strict = told(server.preview(every))
    assert {(policy, level) for policy, level, _ in strict} == {
        ("aks-tunnel", "mandatory"),
        ("aks-required-endpoints", "mandatory"),
    }
    server.configure({"aks-settings": {"unknown": "pass"}})
    assert told(server.preview(every)) == []


def test_an_undecided_flow_names_what_would_settle_it(server: Server) -> None:
    every = stack("sound")
    group = named(every, "nsg-system")
    group.inputs["securityRules"][10]["destinationAddressPrefix"] = UNKNOWN
    group.inputs["securityRules"][2]["destinationAddressPrefix"] = UNKNOWN
    group.outputs["securityRules"] = UNKNOWN
    server.configure({})
    found = [one for one in server.preview(every) if one.policyName == "aks-undecided"]
    assert found
    assert all(one.urn == named(every, "aks-shop").urn for one in found)
    assert all("to settle it" in one.message for one in found)
    assert not any("can't run policy" in one.message for one in found)


def test_inputs_count_and_not_what_a_preview_shows_of_outputs() -> None:
    """A preview shows every absent output as unknown and drops the names of parents: outputs alone decide nothing."""
    with Server() as running:
        assert {policy for policy, _, _ in told(running.analyze_stack(stack("konnectivity")))} == {
            "aks-undecided"
        }
        assert ("aks-tunnel", "mandatory", "nsg-system") in told(running.preview(stack("konnectivity")))


def test_inputs_are_collected_whichever_policies_are_disabled(server: Server) -> None:
    disabled = {name: {"enforcementLevel": "disabled"} for name in POLICIES if name != "aks-tunnel"}
    server.configure(disabled)
    assert told(server.preview(stack("konnectivity"))) == [("aks-tunnel", "mandatory", "nsg-system")]


def test_secrets_stay_secret(server: Server) -> None:
    """Neither in a message nor in the log; a secret is unknown to the judge."""
    every = stack("konnectivity")
    group = named(every, "nsg-system")
    word = "s3cr3t-w0rd"
    for rule in group.inputs["securityRules"]:
        rule["name"] = {SIGNATURE: SECRET, "value": f"{rule['name']}-{word}"}
        rule["description"] = {SIGNATURE: SECRET, "value": word}
    cluster = named(every, "aks-shop")
    cluster.inputs["dnsPrefix"] = {SIGNATURE: SECRET, "value": word}
    named(every, "rt-spoke").inputs["routes"] = {
        SIGNATURE: SECRET,
        "value": named(every, "rt-spoke").inputs["routes"],
    }
    for one in every:
        one.outputs = copy.deepcopy(one.inputs)
    server.configure({})
    found = server.preview(every)
    assert found
    assert all(word not in one.message for one in found)
    assert word not in server.errors()
    assert "hunter2" not in server.errors()
    assert any("is a secret" in one.message for one in found)


def test_numbers_come_as_numbers(server: Server) -> None:
    """The protocol knows floats only; a priority of 4096 is not 4096.0."""
    server.configure({})
    text = "".join(one.message for one in server.preview(stack("konnectivity")))
    assert "priority 4096, Deny" in text
    assert "4096.0" not in text


def test_two_subnets_behind_one_property_are_any_of_them(server: Server) -> None:
    """Two pools in one list: which subnet is whose comes only with the update, so neither is guessed."""
    every = stack("konnectivity")
    cluster, pool = named(every, "aks-shop"), named(every, "user")
    subnets = [named(every, "snet-system").urn, named(every, "snet-user").urn]
    cluster.inputs["agentPoolProfiles"].append(
        {"name": "user", "mode": "User", "count": 3, "osType": "Linux", "vnetSubnetID": UNKNOWN}
    )
    cluster.property_dependencies["agentPoolProfiles"] = subnets
    every.remove(pool)
    server.configure({})
    found = server.preview(every)
    assert [one for one in found if one.policyName == "aks-tunnel" and one.enforcementLevel == 1] == []
    assert any(one.policyName == "aks-undecided" and "*.hcp.eastus" in one.message for one in found)


def test_tokens_with_versions_are_read_too(server: Server) -> None:
    every = stack("konnectivity")
    for one in every:
        one.type = one.type.replace("azure-native:network:", "azure-native:network/v20240501:")
        one.type = one.type.replace(
            "azure-native:containerservice:", "azure-native_containerservice_v20240901:containerservice:"
        )
    server.configure({})
    assert ("aks-tunnel", "mandatory", "nsg-system") in told(server.preview(every))


HUB = {
    "vnet-hub",
    "firewall-subnet",
    "fw-hub",
    "afwp-hub",
    "rcg-aks",
    "ipg-aks-nodes",
    "pip-fw-hub",
    "rg-hub",
    "peer-hub-to-spoke",
}
"""What another team deploys, in a stack of its own."""

SNAPSHOT = TOP / "examples" / "hub-and-spoke" / "snapshot" / "konnectivity.json"


def spoke(variant: str) -> list[Noted]:
    """The spoke's stack alone: the hub is known by its id and its firewall's address."""
    every = [one for one in stack(variant) if one.name not in HUB]
    hub = next(
        row["id"] for row in json.loads(SNAPSHOT.read_text())["resources"] if row["id"].endswith("/vnet-hub")
    )
    given = {
        "rt-spoke": {
            "routes": [{**named(every, "rt-spoke").inputs["routes"][0], "nextHopIpAddress": "10.0.0.4"}]
        },
        "peer-spoke-to-hub": {"remoteVirtualNetwork": {"id": hub}},
    }
    for name, inputs in given.items():
        one = named(every, name)
        one.inputs |= inputs
        one.outputs |= inputs
    return every


def test_a_spoke_is_judged_with_its_hub_as_context(server: Server) -> None:
    """Without the hub its flows are undecided; a snapshot of the hub decides them."""
    server.configure({})
    alone = told(server.preview(spoke("konnectivity")))
    assert ("aks-undecided", "advisory", "aks-shop") in alone
    server.configure({"aks-settings": {"context": [str(SNAPSHOT)]}})
    together = told(server.preview(spoke("konnectivity")))
    assert ("aks-tunnel", "mandatory", "nsg-system") in together
    assert not any(policy == "aks-undecided" for policy, _, _ in together)
    assert told(server.preview(spoke("sound"))) == []


def test_a_declared_appliance_stands_in_for_a_firewall(server: Server) -> None:
    """What it lets through decides; what it drops is blocked."""
    everything = [{"address": "10.0.0.4", "allow": [{"to": ["*"]}]}]
    server.configure({"aks-settings": {"appliances": everything}})
    assert not any(policy == "aks-tunnel" for policy, _, _ in told(server.preview(spoke("sound"))))
    little = [{"address": "10.0.0.4", "allow": [{"to": ["10.0.0.0/8"], "protocol": "tcp", "ports": [443]}]}]
    server.configure({"aks-settings": {"appliances": little}})
    assert any(policy == "aks-tunnel" for policy, _, _ in told(server.preview(spoke("sound"))))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"tunnel": "open-vpn"}, "open-vpn"),
        ({"appliances": [{"adress": "10.0.0.4"}]}, "did you mean `address`"),
        ({"context": ["no-such-file.json"]}, "no-such-file.json"),
        ({"features": ["teleport"]}, "teleport"),
    ],
)
def test_a_wrong_configuration_is_never_a_pass(server: Server, settings: dict[str, Any], said: str) -> None:
    server.configure({"aks-settings": settings})
    found = server.preview(stack("sound"))
    assert {(one.policyName, one.enforcementLevel) for one in found} == {
        ("aks-tunnel", 1),
        ("aks-required-endpoints", 1),
        ("aks-internal-errors", 1),
    }
    assert all(said in one.message for one in found)


def test_an_internal_error_neither_ends_the_preview_nor_passes(tmp_path: Path) -> None:
    """A pack whose engine fails says so, in a mandatory policy, and serves on."""
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_bytes((PACK / "PulumiPolicy.yaml").read_bytes())
    (pack / "__main__.py").write_text(
        "import aks_egress.engine\n"
        "def fail(*_):\n    raise ZeroDivisionError('a secret ' + 'value')\n"
        "from aks_egress_pulumi import judging\n"
        "judging.judge = fail\n"
        "from aks_egress_pulumi.serving import serve\nserve()\n"
    )
    with Server(pack) as running:
        found = running.preview(stack("sound"))
        assert told(found) == [
            ("aks-tunnel", "mandatory", ""),
            ("aks-required-endpoints", "mandatory", ""),
            ("aks-internal-errors", "mandatory", ""),
        ]
        assert all("internal error: ZeroDivisionError" in one.message for one in found)
        assert all("a secret value" not in one.message for one in found)
        assert "a secret value" not in running.errors()
        assert told(running.analyze_stack(stack("sound")))


def test_printing_while_it_starts_does_not_break_the_server(tmp_path: Path) -> None:
    """The first line on standard output must be the port."""
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "__main__.py").write_text(
        "import builtins, sys\n"
        "import aks_egress_pulumi.serving as serving\n"
        "before = serving._find_engine\n"
        "def chatty():\n    print('hello'); before()\n"
        "serving._find_engine = chatty\n"
        "serving.serve()\n"
    )
    with Server(pack) as running:
        assert "hello" in running.errors()
    (pack / "__main__.py").write_text("print('hello')\n")
    with pytest.raises(RefusedError, match="hello"):
        Server(pack)


def test_the_pack_in_the_wheel_serves_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pulumi-pack-dir"]) == 0
    folder = Path(capsys.readouterr().out.strip())
    for name in ("PulumiPolicy.yaml", "__main__.py"):
        assert (folder / name).read_bytes() == (PACK / name).read_bytes()
    with Server(folder) as running:
        running.configure(tunnel("aks-link"))
        assert ("aks-tunnel", "mandatory", "fw-hub") in told(running.preview(stack("aks-link")))


def test_a_stack_of_five_hundred_resources(server: Server) -> None:
    """The verdicts stay, and nobody waits: a loaded machine gets ten times what the benchmark measures."""
    every = [*stack("konnectivity"), *crowd(500)]
    server.configure({})
    started = time.perf_counter()
    found = told(server.preview(every))
    assert ("aks-tunnel", "mandatory", "nsg-system") in found
    assert time.perf_counter() - started < 20


def test_a_second_preview_forgets_the_first(server: Server) -> None:
    """The same server sees a stack mended between two runs."""
    server.configure({})
    assert told(server.preview(stack("konnectivity")))
    mended = stack("sound")
    for one in mended:
        one.urn = one.urn.replace("urn:pulumi:sound::", "urn:pulumi:konnectivity::")
    for one in mended:
        one.parent = one.parent.replace("urn:pulumi:sound::", "urn:pulumi:konnectivity::")
        one.dependencies = [urn.replace(":sound::", ":konnectivity::") for urn in one.dependencies]
        one.property_dependencies = {
            key: [urn.replace(":sound::", ":konnectivity::") for urn in urns]
            for key, urns in one.property_dependencies.items()
        }
    assert told(server.preview(mended)) == []
