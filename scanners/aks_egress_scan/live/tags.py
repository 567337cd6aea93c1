"""This week's service tags from Azure itself, into the cache that every command uses."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aks_egress_scan.live.needed import subscription_of
from aks_egress_scan.live.refusals import unread

if TYPE_CHECKING:
    from aks_egress.packets.tags import ServiceTags
    from aks_egress_scan.live.session import Session

_PERMISSION = "Microsoft.Network/locations/serviceTags/read"


def renew(session: Session, cluster: str, location: str, say: Callable[[str], None]) -> ServiceTags | None:
    """The tags as Azure tells them at the place of a cluster (its id); None where it does not."""
    from azure.core.exceptions import AzureError

    from aks_egress_scan.failures import UsageFailure
    from aks_egress_scan.tag_update import update

    subscription = subscription_of(cluster)
    try:
        found = session.network(subscription).service_tags.list(location).as_dict()
    except (AzureError, ValueError) as error:
        where = f"/subscriptions/{subscription}/providers/Microsoft.Network/locations/{location}"
        refused = unread(error, where, _PERMISSION)
        hint = f"; grant `{refused.permission}`: {refused.grant}" if refused.grant else ""
        say(f"Azure does not tell its service tags: {refused.why}{hint}")
        return None
    handle, name = tempfile.mkstemp(suffix=".json")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(found, stream)
        return update(name, session.cloud.name, say)
    except UsageFailure as failure:
        say(str(failure).replace(name, "the answer of Azure"))
        return None
    finally:
        Path(name).unlink(missing_ok=True)
