"""`aks-egress query`: one flow, from a subnet to a host, an address or a tag."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.options import Choices, Help, add_inputs, add_outputs

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from aks_egress.arm.resources import Document
    from aks_egress.findings.report import Flow, Report
    from aks_egress.packets.tags import ServiceTags
    from aks_egress.settings import OwnRequirement

_DESCRIPTION = """\
Walks one flow and says who decides at every hop.  A name is judged as a name where something reads
names (a firewall's application rules) and as an address nobody can know everywhere else; say in which
service tags its address lies with --lies-in to know more.
"""

_EXAMPLES = """\
examples:
  aks-egress query plan.json --from snet-nodes --to mcr.microsoft.com --port 443
  aks-egress query infra/ --from vnet-spoke/snet-nodes --to AzureCloud.westeurope --port 1194 --protocol udp
  aks-egress query main.json --context hub.json --from snet-nodes --to 20.50.2.17 --port 443 --format json

exit status: 0 open, 1 blocked or partly blocked, 2 wrong usage or broken input, 3 no such subnet, 4 undecided
"""


def register(subparsers: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("query", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=Help)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files and folders; - is standard input")
    flow = parser.add_argument_group("the flow")
    flow.add_argument(
        "--from",
        required=True,
        dest="subnet",
        metavar="SUBNET",
        help="its name, network/name, or resource id",
    )
    flow.add_argument(
        "--to", required=True, metavar="HOST|IP|TAG", help="a host name, an address or a service tag"
    )
    flow.add_argument("--port", required=True, metavar="N", help="a port, or a range 9000-9010")
    flow.add_argument(
        "--protocol", choices=("tcp", "udp"), default="tcp", help="what the packets are; default tcp"
    )
    flow.add_argument(
        "--lies-in",
        action="append",
        metavar="TAG",
        help="a service tag that a host's address lies in; repeatable",
    )
    add_inputs(parser)
    add_outputs(parser)
    parser.set_defaults(run=run)


def run(chosen: Namespace) -> int:
    """Judge the flow; the exit status."""
    from aks_egress.engine import ask
    from aks_egress.settings import DeclarationError
    from aks_egress_scan import evaluate
    from aks_egress_scan.options import Output
    from aks_egress_scan.output import write

    settled = evaluate.prepare(Choices(chosen), baseline=False)
    wanted = _wanted(chosen)
    loaded = evaluate.load_inputs(settled, chosen.paths)
    try:
        flows = ask(loaded.documents, settled.settings, settled.tags, chosen.subnet, wanted)
    except DeclarationError as error:
        evaluate.say(str(error))
        return 2 if evaluate.broken(loaded) else 3
    report = _report(flows, chosen.subnet, settled.tags, loaded.documents)
    shown = [Output("walk" if one.format == "text" else one.format, one.file) for one in settled.outputs]
    write(report, shown, settled.choices)
    return 2 if evaluate.broken(loaded) else _STATUS[str(report.clusters[0].verdict)]


#: what the engine says of every requirement that is not the catalogue's: no news to whoever asks
_ASKED = "the requirement is declared in the configuration"
_STATUS = {"open": 0, "blocked": 1, "partial": 1, "unknown": 4}


def _wanted(chosen: Namespace) -> OwnRequirement:
    from aks_egress.settings import OwnRequirement

    return OwnRequirement(
        id="query",
        kind=kind_of(chosen.to),
        value=chosen.to,
        protocol=chosen.protocol.upper(),
        ports=(_ports(chosen.port),),
        title=f"{chosen.to} from {chosen.subnet}",
        lies_in=tuple(chosen.lies_in or ()),
        start=("node",),
    )


def _report(flows: Sequence[Flow], subnet: str, tags: ServiceTags, documents: Sequence[Document]) -> Report:
    """The flows as a report of their own, so that every format can spell them."""
    from aks_egress import __version__
    from aks_egress.evaluation.verdicts import worst
    from aks_egress.findings.report import Cluster, Input, Report, Tool, Tunnel
    from aks_egress.records import replace
    from aks_egress.requirements.catalogue import load

    verdict = worst(one.verdict for one in flows)
    flows = [
        replace(one, assumptions=tuple(text for text in one.assumptions if text != _ASKED)) for one in flows
    ]
    cluster = Cluster(
        id=subnet,
        name=subnet,
        location="",
        cloud="public",
        outbound_type="",
        api_access="",
        tunnel=Tunnel(mode="none", evidence="one flow was asked for", verdict=verdict),
        verdict=verdict,
        flows=tuple(flows),
    )
    tool = Tool(
        version=__version__,
        catalogue_date=load().date,
        catalogue_digest=load().digest,
        tags_source=tags.source,
        tags_change_number=tags.change_number,
    )
    inputs = tuple(
        Input(path=one.path, kind=str(one.kind), role=str(one.role), resources=len(one.resources))
        for one in documents
    )
    return Report(tool=tool, inputs=inputs, clusters=(cluster,), findings=())


def kind_of(destination: str) -> str:
    """ip, fqdn or service-tag, by how a destination is spelled."""
    from aks_egress.packets.tags import looks_like_tag

    try:
        ip_network(destination)
    except ValueError:
        pass
    else:
        return "ip"
    labels = destination.removeprefix("*.").split(".")
    domain = len(labels) > 2 or (
        len(labels) == 2 and labels[1].casefold() in ("com", "net", "io", "org", "cn", "us", "dev")
    )
    if destination.startswith("*.") or domain:
        return "fqdn"
    if looks_like_tag(destination):
        return "service-tag"
    raise UsageFailure(f"`{destination}` is no host name, no address and no service tag")


def _ports(text: str) -> tuple[int, int]:
    low, dash, high = text.partition("-")
    if not low.isdecimal() or (dash and not high.isdecimal()):
        raise UsageFailure(f"`--port {text}` is no port and no range of ports")
    first, last = int(low), int(high or low)
    if not 0 <= first <= last <= 65535:
        raise UsageFailure(f"`--port {text}` is no port and no range of ports")
    return first, last
