"""Random fleets for comparing: stamped from a few designs, any copy of which may be changed in one place."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from tests.property.designs import Design
from tests.property.traits import HUBS, SPOKES, Row, Trait, every
from tests.property.tweaks import tweaked

from aks_egress.packets.tags import ServiceTags
from aks_egress.settings import Allow, Appliance, OwnRequirement, Settings
from aks_egress_scan.live.snapshot import Snapshot, render


def fleet(maker: random.Random) -> bytes:
    """Some hubs of one or two designs, and spokes of a few designs behind them."""
    return snapshot([row for network in networks(maker) for row in network])


def copies(maker: random.Random) -> bytes:
    """Copies of one design behind two hubs of one design: every other copy, and one hub, differ in one value or habit."""
    design = Design(maker)
    design.machines = design.gateway_of = ""
    design.disconnected = False
    if maker.random() < 0.8:
        design.table, design.hop = True, "VirtualAppliance"
    found: list[Row] = []
    for n, made in [(n, design.hub(n)) for n in range(2)] + [
        (i, design.spoke(i, i // 2 % 2)) for i in range(8)
    ]:
        rows: list[Row] = json.loads(json.dumps(list(made)))
        of_spoke = bool(every(rows, "managedClusters"))
        if n % 2 == (1 if n < 4 else 0):
            trait = tweaked if maker.random() < 0.6 else maker.choice(SPOKES if of_spoke else HUBS)
            trait(maker, rows, n)
        found += rows
    return snapshot(found)


def pictures(maker: random.Random) -> list[bytes]:
    """A fleet in one file or in two: networks here and there, and some in both, of which one was changed since."""
    found = networks(maker)
    if maker.random() < 0.6:
        return [snapshot([row for network in found for row in network])]
    halves: list[list[Row]] = [[], []]
    for i, network in enumerate(found):
        where = maker.choice((0, 0, 0, 1, 2))
        for half in (0, 1) if where == 2 else (where,):
            own = json.loads(json.dumps(network))
            if where == 2 and half == 1 and maker.random() < 0.5:
                maker.choice(SPOKES if every(own, "managedClusters") else HUBS)(maker, own, i)
            halves[half] += own
    return [snapshot(half) for half in halves]


def configured(maker: random.Random) -> Settings:
    """What people ask for beside the catalogue, and the appliances that they describe."""
    kinds = (
        ("ip", "20.60.0.10"), ("ip", "20.60.0.0/26"), ("ip", "10.88.0.10"), ("ip", "10.0.0.9"), ("ip", "10.0.0.0/25"), ("ip", "20.50.0.1"),
        ("ip", "168.63.129.16"), ("fqdn", "a.windowsupdate.com"), ("fqdn", "MCR.microsoft.com."), ("service-tag", "Storage"),
        ("service-tag", "AzureCloud.westeurope"),
    )  # fmt: skip
    asked = []
    for i, (kind, value) in enumerate(maker.sample(kinds, maker.choice((0, 0, 1, 2, 3)))):
        asked.append(
            OwnRequirement(
                id=f"own-{i}",
                kind=kind,
                value=value,
                protocol=maker.choice(("TCP", "TCP", "UDP", "ICMP")),
                ports=maker.choice((((443, 443),), ((53, 53),), ((8081, 8081),))),
                necessity=maker.choice(("required", "recommended")),
                clusters=maker.choice(((), (), ("aks-1", "aks-2"))),
            )
        )
    appliance = Appliance(address="172.16.0.5", allows=(Allow(destinations=("*",)),))
    return Settings(
        tunnel=maker.choice(("auto", "konnectivity", "aks-link", "tunnelfront")),
        requirements=tuple(asked),
        appliances=(appliance,) if maker.random() < 0.3 else (),
    )


def published(maker: random.Random) -> ServiceTags:
    """Tag data, with addresses that networks of one's own use too, or none."""
    if maker.random() < 0.6:
        return ServiceTags()
    known = {
        "azurecloud": ["20.0.0.0/9", "40.64.0.0/10"],
        "azurecloud.westeurope": ["20.60.0.0/16", "40.64.0.0/16"],
        "storage": ["20.60.0.0/24", "20.61.0.0/16"],
        "azurefrontdoor.firstparty": ["150.0.0.0/16"],
        "microsoftcontainerregistry": ["20.62.0.0/16"],
    }
    return ServiceTags(members=known, source="file")


def networks(maker: random.Random) -> list[list[Row]]:
    """The rows of each network of a fleet, hubs first."""
    teams = [Team(maker, SPOKES) for _ in range(maker.choice((1, 1, 1, 2, 3)))]
    others = [Team(maker, HUBS) for _ in range(maker.choice((1, 1, 1, 2)))]
    hubs = maker.randint(1, 3)
    owners = [maker.choice(others) for _ in range(hubs)]
    found = [_changed(team.design.hub(n), team, maker, n) for n, team in enumerate(owners)]
    for i in range(maker.randint(6, 12)):
        team = maker.choice(teams)
        change = team.design.changed() if maker.random() < 0.15 else ""
        found.append(_changed(team.design.spoke(i, maker.randrange(hubs), change), team, maker, i))
    return found


def _changed(rows: Iterator[Row], team: Team, maker: random.Random, i: int) -> list[Row]:
    """The rows of a network as its team changes them all, and this one perhaps in some way more, or less."""
    habits = list(team.habits)
    match maker.randrange(10):
        case 0:
            habits.append(team.habit())
        case 1 if habits:
            habits[-1] = (habits[-1][0], maker.randrange(1 << 30))
        case 2 if habits:
            habits.pop()
        case 3 | 4 | 5:
            habits.append((tweaked, maker.randrange(1 << 30)))
    found: list[Row] = json.loads(json.dumps(list(rows)))
    for trait, seed in habits:
        trait(random.Random(seed), found, i)
    return found


class Team:
    """Who stamps out one design, and what they change in every copy."""

    def __init__(self, maker: random.Random, traits: Sequence[Trait]) -> None:
        self.maker, self.traits = maker, traits
        self.design = Design(maker)
        self.habits = [self.habit() for _ in range(maker.choice((0, 0, 0, 1, 2)))]

    def habit(self) -> tuple[Trait, int]:
        """A trait with the random numbers that it always has."""
        return self.maker.choice(self.traits), self.maker.randrange(1 << 30)


def snapshot(rows: list[Row]) -> bytes:
    """The rows as the file that a scan reads."""
    picture = Snapshot()
    for row in rows:
        picture.add(row, row["type"].casefold())
    return render(picture, "0", datetime(2026, 6, 18, tzinfo=UTC))
