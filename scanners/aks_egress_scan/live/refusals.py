"""What Azure's refusals mean: which permission is missing, and the command that gives it."""

from __future__ import annotations

import json
from typing import Any

from aks_egress_scan.live.asking import on_the_way
from aks_egress_scan.live.session import first_line
from aks_egress_scan.live.snapshot import Unread, kind_of

ROLE = "AKS Egress Reader"
"""The custom role of docs/permissions.md."""

#: type, lower case -> its spelling in permissions
_SPELLED = {
    "microsoft.network": "Microsoft.Network",
    "microsoft.compute": "Microsoft.Compute",
    "microsoft.containerservice": "Microsoft.ContainerService",
    "microsoft.kubernetesconfiguration": "Microsoft.KubernetesConfiguration",
}
_LONGEST = 200
ODD = "its answer has another shape than Azure documents, or only a part of it came"


class NoAnswerError(ValueError):
    """An answer that nothing can be learned from; the text says why, to people."""


def unread(error: Exception, resource_id: str, permission: str = "", kind: str = "") -> Unread:
    """What could not be read, and what would let it be read.

    `permission` is the action that was asked for, reading the resource where it is not given.
    """
    kind = kind or kind_of(resource_id)
    permission = permission or f"{_named(kind, resource_id)}/read"
    status, code = getattr(error, "status_code", None), _code(error)
    if status == 401:
        why = f"who is signed in is nobody there (HTTP 401{code}), as in a subscription of another tenant"
        return Unread(kind=kind, id=resource_id, why=why)
    if (status == 403 and not _foreign(error)) or code.strip() == "SubscriptionNotFound":
        # whoever has no role in a subscription is told that there is none
        why = f"reading it was refused (HTTP {status}{code})"
        return Unread(kind=kind, id=resource_id, why=why, permission=permission, grant=grant(resource_id))
    if status == 404:
        return Unread(kind=kind, id=resource_id, why=f"it is not there any more (HTTP 404{code})")
    if code.strip() == "MissingSubscriptionRegistration":
        provider = permission.split("/")[0]
        return Unread(
            kind=kind,
            id=resource_id,
            why=f"the resource provider {provider} is not registered",
            permission=f"{provider}/register/action",
            grant=f"az provider register --namespace {provider}",
        )
    told = "" if _foreign(error) else _told(status)
    return Unread(kind=kind, id=resource_id, why=f"it could not be read: {told}{said(error)}")


def said(error: Exception) -> str:
    """What went wrong, in a line for people; what libraries say of broken answers means nothing to them."""
    from azure.core import exceptions

    if isinstance(error, exceptions.ServiceResponseError | exceptions.IncompleteReadError):
        return "the connection broke off or gave no answer in time"
    if isinstance(error, exceptions.ServiceRequestError):
        return on_the_way(error) or f"nobody answers there: {_short(error)}"
    if _foreign(error):
        status = getattr(error, "status_code", None)
        return f"HTTP {status} without a word of Azure's own: something on the way, such as a proxy, answers in its place"
    if isinstance(error, exceptions.DecodeError) or not isinstance(
        error, exceptions.AzureError | NoAnswerError
    ):
        return ODD
    return _short(getattr(error, "message", "") or error)


def _foreign(error: Exception) -> bool:
    """Whether an error page, and no JSON, came with the status: Azure answers in JSON."""
    if (getattr(error, "status_code", None) or 0) < 400:
        return False
    try:
        text = error.response.text()  # type: ignore[attr-defined]
        return bool(text.strip()) and not isinstance(json.loads(text), dict)
    except (AttributeError, TypeError):
        return False
    except ValueError:
        return True


def signed_out(error: Exception) -> bool:
    """Whether nobody is signed in any more, so that nothing else will be answered either."""
    from azure.core.exceptions import ClientAuthenticationError

    return isinstance(error, ClientAuthenticationError) and (
        error.response is None or _code(error).strip() == "ExpiredAuthenticationToken"
    )


def _short(error: object) -> str:
    return first_line(error)[:_LONGEST]


def grant(resource_id: str, role: str = ROLE) -> str:
    """The command that lets somebody read what is in the subscription or group of a resource."""
    parts = resource_id.strip("/").split("/")
    scope = "/" + "/".join(parts[:2]) if parts[0].casefold() == "subscriptions" else resource_id
    return f'az role assignment create --assignee <who> --role "{role}" --scope {scope}'


def _named(kind: str, resource_id: str) -> str:
    """The type as permissions spell it: as in the id, with the provider's own capitals."""
    parts = [part for part in resource_id.split("/") if part]
    folded = [part.casefold() for part in parts]
    at = len(parts) - folded[::-1].index("providers") if "providers" in folded else len(parts)
    tail = parts[at:]
    namespace = _SPELLED.get(kind.split("/", maxsplit=1)[0], kind.split("/", maxsplit=1)[0])
    return "/".join([namespace, *tail[1::2]]) if tail else kind


def _code(error: Exception) -> str:
    """Azure's own word for the error."""
    found: Any = getattr(getattr(error, "error", None), "code", None)
    if found is None:
        try:
            found = json.loads(error.response.text())["error"]["code"]  # type: ignore[attr-defined]
        except (AttributeError, ValueError, KeyError, TypeError):
            found = None
    return f" {found}" if isinstance(found, str) and found.isalnum() else ""


def _told(status: object) -> str:
    return f"HTTP {status}: " if status else ""
