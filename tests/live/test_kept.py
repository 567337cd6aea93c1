"""What a snapshot keeps is all that judging reads, and what it keeps is no secret.

A property that were read and not kept would be judged as its default: a silent false verdict.
"""

from __future__ import annotations

import ast
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import builders as b
from tests.docs.test_rule_pages import overlaid, template

from aks_egress.arm.resources import Document
from aks_egress.checks.registry import RULES
from aks_egress.engine import judge
from aks_egress.packets.tags import ServiceTags
from aks_egress.settings import Settings
from aks_egress_scan.live.kept import kept, kept_types
from aks_egress_scan.readers.arm_template import READER
from aks_egress_scan.readers.base import Parameters, Source

ROOT = Path(__file__).parents[2]
Json = dict[str, Any]

#: what is asked of a resource and stands in none that Azure answers, or decides nothing there
NEVER_ANSWERED = {
    # a pool, a rule, a subnet and their like come inside their parents
    "microsoft.containerservice/managedclusters/agentpools": None,
    # a firewall's own rules are read as a policy's are, and have fewer members
    "microsoft.network/azurefirewalls": {
        "properties.networkrulecollections.properties.rules.fqdntags",
        "properties.networkrulecollections.properties.rules.targeturls",
        "properties.networkrulecollections.properties.rules.terminatetls",
        "properties.networkrulecollections.properties.rules.webcategories",
        # whoever owns an address is asked as a load balancer and as an interface, too
        "properties.frontendipconfigurations",
    },
}


class Asked(dict[str, Any]):
    """A part of a resource that notes what is asked of it."""

    __slots__ = ("note", "path")

    def __contains__(self, name: object) -> bool:
        self.note.add((*self.path, str(name).casefold()))
        return super().__contains__(name)


def noting(value: Any, note: set[tuple[str, ...]], path: tuple[str, ...] = ()) -> Any:
    if isinstance(value, list):
        return [noting(one, note, path) for one in value]
    if not isinstance(value, dict):
        return value
    out = Asked({name: noting(one, note, (*path, name.casefold())) for name, one in value.items()})
    out.note, out.path = note, path
    return out


def is_kept(wanted: Any, path: tuple[str, ...]) -> bool:
    """Whether what is kept of a type reaches as far as a path."""
    for name in path:
        if isinstance(wanted, frozenset):
            return name in wanted
        if name in wanted[""]:
            return True
        wanted = wanted.get(name, wanted.get("*"))
        if wanted is None:
            return False
    return True


def networks() -> Iterator[list[Document]]:
    """Every example of every rule's page, and a network with everything that those lack."""
    for code in RULES:
        first, second = template(code, "Example")[0], template(code, "Mended")[0]
        for text in (first, overlaid(first, second)):
            yield READER.read(Source("x.json", text.encode()), Parameters())
    wan = b.rid("virtualHubs", "wan")
    connected = {
        "remoteVirtualNetwork": {"id": b.rid("virtualNetworks", "net")},
        "enableInternetSecurity": True,
    }
    intent = {"name": "i", "destinations": ["Internet"], "nextHop": b.rid("azureFirewalls", "fw")}
    firewall = {"virtualHub": {"id": wan}, "firewallPolicy": {"id": b.rid("firewallPolicies", "policy")}}
    admin = "networkManagers/securityAdminConfigurations/ruleCollections"
    group = b.rid("networkManagers/networkGroups", "m", "g")
    deny = {"access": "Deny", "direction": "Outbound", "priority": 1, "protocol": "Tcp"}
    yield [
        b.document(
            b.vnet("net", "10.1.0.0/16", b.subnet("nodes", "10.1.0.0/22", nsg="g", nat="nat")),
            b.nsg("g", b.rule("out", 100, "Allow", "Internet")),
            b.resource("natGateways", "nat", {}),
            b.scale_set("pool0", "g"),
            b.resource("virtualHubs", "wan", {}),
            b.resource("virtualHubs/hubVirtualNetworkConnections", "wan/net", connected),
            b.resource("virtualHubs/routingIntent", "wan/i", {"routingPolicies": [intent]}),
            b.resource("azureFirewalls", "fw", firewall),
            b.policy(),
            b.resource(f"{admin}/rules", "m/c/rc/r", deny),
            b.resource(admin, "m/c/rc", {"appliesToGroups": [{"networkGroupId": group}]}),
            b.resource("networkManagers/networkGroups", "m/g", {}),
            b.resource(
                "networkManagers/networkGroups/staticMembers",
                "m/g/s",
                {"resourceId": b.rid("virtualNetworks", "net")},
            ),
            b.cluster("nodes", outbound="none"),
        )
    ]


def test_what_judging_asks_of_a_resource_is_kept() -> None:
    asked: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for documents in networks():
        for document in documents:
            for one in document.resources:
                one.get("properties")
                one.body = noting(dict(one.body), asked[one.kind])  # type: ignore[call-overload]
        judge(documents, Settings(), ServiceTags())
    lost = [
        f"{kind}: {'.'.join(path)}"
        for kind, paths in sorted(asked.items())
        for path in sorted(paths)
        if path[0] not in ("id", "location", "kind") and not _answered(kind, path)
    ]
    assert lost == []
    assert len(asked) >= 18
    assert ("properties", "securityrules") in asked["microsoft.network/networksecuritygroups"]


def _answered(kind: str, path: tuple[str, ...]) -> bool:
    never = NEVER_ANSWERED.get(kind, set())
    if never is None or ".".join(path) in never:
        return True
    return kind in kept_types() and is_kept(kept_types()[kind], path)


#: functions that are asked for a member by its name as ARM spells it, and at which places in a call
READERS = {
    "at": slice(None),
    "get": slice(None),
    "prop": slice(None),
    "word": slice(1, 2),
    "additional": slice(None),
}
#: names in such calls that are members of other things than resources
OURS = {"conditions.py: windows"}


@pytest.mark.parametrize("room", ["topology", "evaluation", "checks", "requirements"])
def test_every_member_that_is_named_in_the_code_is_kept_somewhere(room: str) -> None:
    """Also those that no example asks for."""
    known = set(_names(json.loads((ROOT / "scanners/aks_egress_scan/live/properties.json").read_bytes())))
    named = [
        f"{file.name}: {name}"
        for file in sorted((ROOT / "policies/aks_egress" / room).glob("*.py"))
        if file.name not in ("catalogue.py", "errors.py")  # they read files of our own
        for name in _asked_for(ast.parse(file.read_text(encoding="utf-8")))
        if name.casefold() not in known
    ]
    assert sorted(set(named) - OURS) == []


def _asked_for(tree: ast.AST) -> Iterator[str]:
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        function = call.func
        called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        for argument in call.args[READERS[called]] if called in READERS else ():
            text = argument.value if isinstance(argument, ast.Constant) else None
            if isinstance(text, str) and " " not in text:
                parts = [text] if text.startswith("Network.") else text.split(".")
                yield from (one for one in parts if one not in ("", "*", "properties", "location"))


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from value.casefold().split()
    else:
        for name, one in value.items():
            yield name.casefold()
            yield from _names(one)


SECRETS = [
    "adminPassword",
    "secret",
    "clientSecret",
    "password",
    "keyData",
    "trustedCa",
    "customCATrustCertificates",
    "identity",
    "identityProfile",
    "windowsProfile",
    "linuxProfile",
    "servicePrincipalProfile",
    "aadProfile",
    "description",
    "sharedKey",
    "connectionString",
    "certificate",
    "sasToken",
    "accessKey",
    "value",
    "vpnClientConfiguration",
    "bgpSettings",
    "insights",
    "httpHeadersToInsert",
]
EMPTY: tuple[Any, ...] = (frozenset(), {"": frozenset()}, None)


@pytest.mark.parametrize("kind", sorted(kept_types()))
def test_nothing_that_is_not_on_the_list_gets_in_at_any_depth(kind: str) -> None:
    """Beside every member that is kept, members that are not, in objects and in lists."""
    wanted = kept_types()[kind]
    resource = {"id": "/x", **{name: _filled(wanted[name]) for name in wanted if name}}
    said = json.dumps(kept(resource, kind))
    assert "SECRET" not in said
    assert ("HARMLESS" in said) == (wanted["properties"] not in EMPTY)


def _filled(wanted: Any) -> Any:
    """An object with all that is kept, secrets beside it, and a login in every address."""
    secrets: Json = {name: f"SECRET-{name}" for name in SECRETS}
    plain = wanted if isinstance(wanted, frozenset) else wanted[""]
    out = secrets | dict.fromkeys(plain, "https://me:SECRET@HARMLESS.example/")
    for name, deeper in wanted.items() if isinstance(wanted, dict) else ():
        if name:
            out["any" if name == "*" else name] = [_filled(deeper), _filled(deeper)]
    return out


def test_a_member_that_is_kept_as_a_value_lets_no_object_in() -> None:
    """An answer may have an object where Azure documents a text."""
    odd = {"sourceAddressPrefix": {"x": "SECRET"}, "priority": [{"x": "SECRET"}]}
    group = {"id": "/x", "properties": {"securityRules": [{"name": "r", "properties": odd}]}}
    assert "SECRET" not in json.dumps(kept(group, "microsoft.network/networksecuritygroups"))


def test_an_addon_that_is_a_text_is_left_out() -> None:
    cluster = {
        "id": "/x",
        "properties": {"addonProfiles": {"any": "SECRET", "azurepolicy": {"enabled": True}}},
    }
    assert kept(cluster, "microsoft.containerservice/managedclusters")["properties"] == {
        "addonProfiles": {"azurepolicy": {"enabled": True}}
    }
