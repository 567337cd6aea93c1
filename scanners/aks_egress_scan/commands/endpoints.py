"""`aks-egress endpoints`: what a described cluster needs from the network."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.options import CLOUDS, TUNNELS, Choices, Help

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from aks_egress.requirements.requirement import Requirement
    from aks_egress.requirements.tunnel import TunnelMode

SCHEMA = "aks-egress/endpoints/v1"

_DESCRIPTION = """\
The endpoints that AKS needs for a cluster as you describe it, from the catalogue that `scan` judges by:
for a firewall ticket, or to compare with one's own list.
"""

_EXAMPLES = """\
examples:
  aks-egress endpoints --location westeurope
  aks-egress endpoints --location westeurope --feature gpu --feature defender --format markdown
  aks-egress endpoints --location chinaeast2 --api-access private_link --format json
"""


def register(subparsers: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "endpoints", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=Help
    )
    _add_options(parser)
    parser.set_defaults(run=run)


def _add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--location", default="", metavar="REGION", help="an Azure region; without it names keep `{region}`"
    )
    parser.add_argument("--cloud", choices=CLOUDS, help="default: from the region, else public")
    parser.add_argument(
        "--tunnel", choices=TUNNELS, help="which tunnel the cluster has; default auto: konnectivity"
    )
    parser.add_argument(
        "--feature",
        action="append",
        metavar="NAME",
        help="gpu, windows, defender, ...; repeatable; `help` lists them",
    )
    parser.add_argument(
        "--outbound-type",
        default="",
        metavar="TYPE",
        help="how traffic leaves, as `outboundType` of the cluster; default loadBalancer",
    )
    parser.add_argument(
        "--api-access",
        choices=("public", "private_link", "vnet_integration"),
        default="",
        help="how the API server is reached; default public",
    )
    parser.add_argument(
        "--network-plugin",
        choices=("azure", "kubenet", "none"),
        default="",
        help="as `networkPlugin` of the cluster; default: not known",
    )
    parser.add_argument(
        "--overlay", action="store_true", help="pods have addresses of their own (Azure CNI overlay)"
    )
    parser.add_argument(
        "--all", action="store_true", help="also what is recommended, conditional or outdated"
    )
    parser.add_argument(
        "--format",
        choices=("text", "json", "markdown"),
        dest="style",
        default="text",
        help="a table (default), json for programs, or a Markdown table",
    )
    parser.add_argument("-o", "--output", metavar="FILE", default="-", help="default: standard output")


def run(chosen: Namespace) -> int:
    """Write the table."""
    from aks_egress.requirements.binding import requirements
    from aks_egress.requirements.facts import FEATURES, UnknownFeatureError, described
    from aks_egress.requirements.tunnel import tunnel_mode
    from aks_egress_scan.output import write_text

    choices = Choices(chosen)
    features = choices.many("feature")
    if "help" in features:
        write_text("\n".join(sorted(FEATURES)) + "\n", chosen.output)
        return 0
    options = {
        "outbound_type": chosen.outbound_type,
        "api_access": chosen.api_access,
        "network_plugin": chosen.network_plugin or ("azure" if chosen.overlay else ""),
        "network_plugin_mode": "overlay" if chosen.overlay else "",
    }
    try:
        facts = described(
            location=chosen.location,
            cloud=choices.one("cloud"),
            features=features,
            tunnel=choices.one("tunnel", "auto"),
            **{name: value for name, value in options.items() if value},
        )
    except UnknownFeatureError as error:
        raise UsageFailure(str(error)) from None
    mode = tunnel_mode(facts, choices.one("tunnel", "auto"))
    found = [one for one in requirements(facts, mode) if chosen.all or one.necessity == "required"]
    write_text(_WRITERS[chosen.style](found, mode), chosen.output)
    return 0


def ports(requirement: Requirement) -> str:
    """`443,1024-65535`, `*` for all."""
    if requirement.ports == ((0, 65535),):
        return "*"
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in requirement.ports)


def _rows(found: Sequence[Requirement]) -> list[tuple[str, str, str, str, str]]:
    return [(one.value, one.protocol, ports(one), one.necessity, one.title) for one in found]


_HEAD = ("destination", "protocol", "ports", "necessity", "what for")


def _text(found: Sequence[Requirement], mode: TunnelMode) -> str:
    from aks_egress_scan.reporters.escaping import visible

    rows = [tuple(map(visible, row)) for row in (_HEAD, *_rows(found))]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join((*(row[column].ljust(widths[column]) for column in range(4)), row[4])).rstrip()
        for row in rows
    ]
    return "\n".join([*lines, "", f"tunnel: {mode.mode}: {visible(mode.evidence)}"]) + "\n"


def _markdown(found: Sequence[Requirement], mode: TunnelMode) -> str:
    from aks_egress_scan.reporters.escaping import markdown, markdown_code

    lines = [f"| {' | '.join(_HEAD)} |", "| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {markdown_code(to)} | {kind} | {numbers} | {need} | {markdown(title)} |"
        for to, kind, numbers, need, title in _rows(found)
    ]
    return "\n".join([*lines, "", f"Tunnel: {mode.mode}: {markdown(mode.evidence)}"]) + "\n"


def _json(found: Sequence[Requirement], mode: TunnelMode) -> str:
    rows = [
        {
            "requirement": one.id,
            "title": one.title,
            "role": one.role,
            "necessity": one.necessity,
            "needed": "yes" if one.needed is True else "unknown",
            "from": sorted(one.sources),
            "to": {"kind": one.kind, "value": one.value, "protocol": one.protocol, "ports": ports(one)},
            "liesIn": list(one.lies_in),
            "breaks": list(one.breaks),
            "assumptions": list(one.assumptions),
            "source": one.source,
        }
        for one in found
    ]
    data = {"schema": SCHEMA, "tunnel": {"mode": mode.mode, "evidence": mode.evidence}, "endpoints": rows}
    from aks_egress_scan.reporters.escaping import json_text

    return json_text(data)


_WRITERS = {"text": _text, "markdown": _markdown, "json": _json}
