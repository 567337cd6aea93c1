"""Service tags from Azure itself, into the cache that every command uses."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aks_egress_scan.live.details import Json, guarded, unread_of
from aks_egress_scan.live.needed import subscription_of
from aks_egress_scan.live.refusals import ODD, NoAnswerError
from aks_egress_scan.service_tags import load

if TYPE_CHECKING:
    from aks_egress.packets.tags import ServiceTags
    from aks_egress_scan.live.session import Session

_PERMISSION = "Microsoft.Network/locations/serviceTags/read"


def renew(session: Session, cluster: str, location: str, say: Callable[[str], None]) -> ServiceTags | None:
    """The tags as Azure tells them at the place of a cluster (its id); None where it does not.

    Azure's answer may lag the published file by weeks (Microsoft: service-tags-overview): newer tags that are
    in the cache stay there and are used.
    """
    subscription = subscription_of(cluster)
    where = f"/subscriptions/{subscription}/providers/Microsoft.Network/locations/{location}"
    found = guarded(lambda: _asked(session, subscription, location), where, _PERMISSION)()
    if "unread" in found:
        refused = unread_of(found["unread"][0])
        hint = f"; grant `{refused.permission}`: {refused.grant}" if refused.grant else ""
        say(f"Azure does not tell its service tags: {refused.why}{hint}")
        return None
    kept = load("", session.cloud.name)
    if (kept.change_number or 0) > _number(found):
        say(
            f"the cached service tags (change number {kept.change_number}) are newer than those that Azure tells ({_number(found)}) and stay"
        )
        return kept
    return _into_cache(found, session.cloud.name, say)


def _asked(session: Session, subscription: str, location: str) -> Json:
    found: Json = session.network(subscription).service_tags.list(location).as_dict()
    if found.get("nextLink") or not isinstance(found.get("values"), list):
        raise NoAnswerError(ODD)
    return found


def _number(found: Json) -> int:
    said = str(found.get("changeNumber") or "")
    return int(said) if said.isdecimal() else 0


def _into_cache(found: Json, cloud: str, say: Callable[[str], None]) -> ServiceTags | None:
    from aks_egress_scan.failures import UsageFailure
    from aks_egress_scan.tag_update import update

    handle, name = tempfile.mkstemp(suffix=".json")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(found, stream)
        return update(name, cloud, say)
    except UsageFailure as failure:
        say(str(failure).replace(name, "the answer of Azure"))
        return None
    finally:
        Path(name).unlink(missing_ok=True)
