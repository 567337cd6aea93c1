"""`aks-egress tags`: which service-tag data is in use, what is in it, and how to renew it."""

from __future__ import annotations

from argparse import Namespace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.options import CLOUDS, Choices, Help

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from aks_egress.packets.tags import ServiceTags

_DESCRIPTION = """\
Service tags such as AzureCloud.westeurope stand for address prefixes that Microsoft publishes weekly.
With that data verdicts on tags are exact; without it tags are reasoned about by their names, and what
the names do not settle stays undecided.
"""

_EXAMPLES = """\
examples:
  aks-egress tags show                              which data is in use, and how old it is
  aks-egress tags show AzureCloud.westeurope        the prefixes of a tag
  aks-egress tags show 20.50.2.17                   the tags that an address lies in
  aks-egress tags update                            download this week's data into the cache
  aks-egress tags update ServiceTags_Public_20260615.json    take a file that you downloaded
"""


def register(subparsers: _SubParsersAction[Any]) -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("tags", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=Help)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="show|update", prog="aks-egress tags")
    show = verbs.add_parser(
        "show", formatter_class=Help, help="the data in use, a tag's prefixes, or an address's tags"
    )
    show.add_argument(
        "what", nargs="?", metavar="TAG|ADDRESS", default="", help="a tag or an address to look up"
    )
    show.add_argument("--service-tags", metavar="FILE", help="instead of the cached data")
    show.add_argument("--cloud", choices=CLOUDS, help="whose cached data; default public")
    show.set_defaults(run=run_show)
    update = verbs.add_parser("update", formatter_class=Help, help="renew the cached data")
    update.add_argument(
        "source", nargs="?", metavar="URL|FILE", default="", help="default: Microsoft's download page"
    )
    update.add_argument("--cloud", choices=CLOUDS, help="which cloud's tags to fetch; default public")
    update.set_defaults(run=run_update)


def run_show(chosen: Namespace) -> int:
    """Say which data is in use, and what it says of a tag or an address."""
    from aks_egress_scan.output import write_text
    from aks_egress_scan.service_tags import load

    choices = Choices(chosen)
    tags = load(choices.one("service-tags"), choices.one("cloud"))
    if not chosen.what:
        write_text(_about(tags), "-")
        return 0
    if not tags:
        raise UsageFailure(
            "there is no service-tag data: run `aks-egress tags update`, or give `--service-tags FILE`"
        )
    try:
        ip_address(chosen.what)
    except ValueError:
        write_text(_members(tags, chosen.what), "-")
    else:
        write_text(_holders(tags, chosen.what), "-")
    return 0


def run_update(chosen: Namespace) -> int:
    """Renew the cached data."""
    from aks_egress_scan.evaluate import say
    from aks_egress_scan.tag_update import update

    cloud = Choices(chosen).one("cloud") or "public"
    tags = update(chosen.source, cloud, say)
    say(
        f"the cached service tags are now those of change number {tags.change_number}, {len(tags.members)} tags"
    )
    return 0


def _about(tags: ServiceTags) -> str:
    if not tags:
        return (
            "no service-tag data: tags are reasoned about by name\n"
            "`aks-egress tags update` downloads the data, `--service-tags FILE` takes a file\n"
        )
    number = f"change number {tags.change_number}" if tags.change_number is not None else "no change number"
    cloud = f", cloud {tags.cloud}" if tags.cloud else ""
    day = f", of {tags.date}" if tags.date else ""
    return f"source {tags.source}, {number}{day}{cloud}, {len(tags.members)} tags\n"


def _members(tags: ServiceTags, name: str) -> str:
    from aks_egress.packets.tags import Spelling, canonical, spelling

    key = canonical(name)
    if key in tags.members:
        return "".join(f"{prefix}\n" for prefix in tags.members[key])
    from difflib import get_close_matches

    how, said = spelling(name)
    near = get_close_matches(key, tags.members, 1)
    hint = f": did you mean `{near[0]}`?" if near else ""
    raise UsageFailure(said if how is Spelling.IMPOSSIBLE else f"the data has no tag `{name}`{hint}")


def _holders(tags: ServiceTags, address: str) -> str:
    from aks_egress.packets.addresses import parse

    wanted = parse(address)
    found = sorted(
        name
        for name in tags.members
        if (members := tags.prefixes(name)) is not None and not (wanted - members)
    )
    return "".join(f"{name}\n" for name in found) or f"no service tag holds {address}\n"
