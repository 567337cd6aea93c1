"""Signing in, and the SDK clients of one run.

The SDKs are imported here and only when something live is asked for; without them the answer is one
sentence that says what to install.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.live.clouds import CLOUDS, Cloud

#: `--credential` -> the class of azure-identity
CREDENTIALS: Mapping[str, str] = {
    "default": "DefaultAzureCredential",
    "cli": "AzureCliCredential",
    "developer-cli": "AzureDeveloperCliCredential",
    "powershell": "AzurePowerShellCredential",
    "environment": "EnvironmentCredential",
    "managed-identity": "ManagedIdentityCredential",
    "workload-identity": "WorkloadIdentityCredential",
    "device-code": "DeviceCodeCredential",
    "browser": "InteractiveBrowserCredential",
}
_TAKE_AUTHORITY = frozenset(
    {"default", "environment", "workload-identity", "device-code", "browser", "managed-identity"}
)
_TAKE_TENANT = frozenset(
    {"cli", "developer-cli", "powershell", "device-code", "browser", "workload-identity"}
)

RETRIES = 8
"""How often a request is tried again: what is throttled (429, with its Retry-After) and what fails (5xx)."""

AGAIN: Mapping[str, Any] = {"retry_on_methods": frozenset({"GET", "POST"})}
"""For questions that Azure takes by POST: they change nothing, so they are tried again like any other."""

PATIENCE = 300.0
"""Seconds that an answer which Azure works on (effective rules and routes) is waited for."""

CONNECT, READ = 20, 120
"""Seconds that making a connection, and waiting for an answer, may take."""


class Session:
    """The SDK clients of one run, each made once; safe to share between threads.

    `endpoint` replaces the cloud's resource manager, `logs_endpoint` its Log Analytics and `policy` the SDKs'
    own authentication, for servers that are not Azure.  `who` marks who is signed in.  `options` go to every
    client.
    """

    def __init__(
        self,
        cloud: Cloud,
        credential: Any,
        *,
        endpoint: str = "",
        policy: Any = None,
        logs_endpoint: str = "",
        who: str = "",
        patience: float = PATIENCE,
        **options: Any,
    ) -> None:
        _quiet()
        self.cloud = cloud
        self.who = who
        self.patience = patience
        self.credential = credential
        self.endpoint = endpoint or cloud.manager
        self.policy = policy
        self.logs_endpoint = logs_endpoint
        self._options = {
            "retry_total": RETRIES,
            "retry_status": RETRIES,
            "connection_timeout": CONNECT,
            "read_timeout": READ,
            **options,
        }
        self._made: dict[tuple[str, str], Any] = {}
        self._lock = Lock()

    def graph(self) -> Any:
        """Azure Resource Graph."""
        from azure.mgmt.resourcegraph import ResourceGraphClient

        return self._client("graph", "", lambda: ResourceGraphClient(self.credential, **self._common()))

    def network(self, subscription: str) -> Any:
        """Networks of a subscription."""
        from azure.mgmt.network import NetworkManagementClient

        return self._client(
            "network",
            subscription,
            lambda: NetworkManagementClient(self.credential, subscription, **self._common()),
        )

    def containers(self, subscription: str) -> Any:
        """Clusters of a subscription."""
        from azure.mgmt.containerservice import ContainerServiceClient

        return self._client(
            "containers",
            subscription,
            lambda: ContainerServiceClient(self.credential, subscription, **self._common()),
        )

    def logs(self) -> Any:
        """Log Analytics."""
        from azure.monitor.query import LogsQueryClient

        options: dict[str, Any] = {
            "endpoint": self.logs_endpoint or self.cloud.logs,
            "audience": self.cloud.logs,
        }
        if self.policy is not None:
            options["authentication_policy"] = self.policy
        return self._client("logs", "", lambda: LogsQueryClient(self.credential, **options, **self._options))

    def _common(self) -> dict[str, Any]:
        common: dict[str, Any] = {
            "base_url": self.endpoint,
            "credential_scopes": [self.cloud.scope],
            "user_agent": "aks-egress",
            **self._options,
        }
        return common | ({"authentication_policy": self.policy} if self.policy is not None else {})

    def _client(self, kind: str, subscription: str, make: Callable[[], Any]) -> Any:
        with self._lock:
            key = kind, subscription.casefold()
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]


def connect(cloud: str, credential: str = "default", tenant: str = "") -> Session:
    """A session with a cloud; raises UsageFailure where an SDK is missing or nobody is signed in."""
    require("reading live state", "live")
    _quiet()
    place = CLOUDS[cloud or "public"]
    signed_in = _credential(credential, place, tenant)
    who = _sign_in(signed_in, place)
    return Session(place, signed_in, who=who or f"{credential} {tenant}")


#: extra -> what people call what it brings, and the modules that show that it is there
EXTRAS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "live": (
        "Azure's SDKs",
        (
            "azure.identity",
            "azure.mgmt.containerservice",
            "azure.mgmt.network",
            "azure.mgmt.resourcegraph",
            "azure.monitor.query",
        ),
    ),
    "kubernetes": ("the Kubernetes client", ("kubernetes",)),
}


def require(what: str, *extras: str) -> None:
    """Raise UsageFailure with the one command that installs whatever is missing, or what goes without it."""
    lacking = [one for one in extras if not all(_is_there(module) for module in EXTRAS[one][1])]
    if lacking:
        needs = " and ".join(EXTRAS[one][0] for one in lacking)
        are = "is" if lacking == ["kubernetes"] else "are"
        command = f"`pip install 'aks-egress[{','.join(lacking)}]'`"
        leave = ", or leave the Kubernetes API out with `--no-kubernetes`" if "kubernetes" in lacking else ""
        raise UsageFailure(f"{what} needs {needs}, which {are} not installed: run {command}{leave}")


def _is_there(module: str) -> bool:
    from importlib.util import find_spec

    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _credential(name: str, cloud: Cloud, tenant: str) -> Any:
    import azure.identity

    if name not in CREDENTIALS:
        raise UsageFailure(f"there is no credential `{name}`: use one of {', '.join(CREDENTIALS)}")
    arguments: dict[str, Any] = {}
    if name in _TAKE_AUTHORITY:
        arguments["authority"] = cloud.authority
    if tenant and name in _TAKE_TENANT:
        arguments["tenant_id"] = tenant
    if tenant and name == "managed-identity":
        raise UsageFailure("a managed identity belongs to one tenant: leave `--tenant` out")
    if name == "managed-identity" and os.environ.get("AZURE_CLIENT_ID"):
        # a user-assigned one; the SDK reads the variable for `default` alone
        arguments["client_id"] = os.environ["AZURE_CLIENT_ID"]
    elsewhere = tenant and name not in _TAKE_TENANT
    if elsewhere:
        arguments["additionally_allowed_tenants"] = [tenant]
    try:
        made = getattr(azure.identity, CREDENTIALS[name])(**arguments)
        return _InTenant(made, tenant) if elsewhere else made
    except ValueError as error:
        raise UsageFailure(f"`--credential {name}` cannot be used: {first_line(error)}") from None


class _InTenant:
    """A credential that asks for every token in one tenant, for those that are not made for one."""

    def __init__(self, credential: Any, tenant: str) -> None:
        self._credential, self._tenant = credential, tenant

    def get_token(self, *scopes: str, **options: Any) -> Any:
        """A token of the tenant."""
        return self._credential.get_token(*scopes, **{**options, "tenant_id": self._tenant})


def _sign_in(credential: Any, cloud: Cloud) -> str:
    """Ask for a token before anything else, so that a failure is said once and plainly; a mark of who has it."""
    from azure.core.exceptions import AzureError

    from aks_egress_scan.live.asking import on_the_way

    try:
        return _mark(credential.get_token(cloud.scope).token)
    except (AzureError, ValueError) as error:
        raise UsageFailure(
            f"nobody is signed in to Azure: {on_the_way(error) or first_line(error)}; run {cloud.login}, or name another way with `--credential`"
        ) from None


def _mark(token: str) -> str:
    """The same for one person or service in one tenant, another for everybody else; names nobody."""
    try:
        claims = json.loads(urlsafe_b64decode(token.split(".")[1] + "==="))
        named = [claims.get(name) for name in ("tid", "oid", "sub", "appid")]
    except (ValueError, IndexError, AttributeError):
        return ""
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:16]


def _quiet() -> None:
    """What the SDKs log says nothing that we do not say; without a handler it would land on standard error."""
    log = logging.getLogger("azure")
    if not log.handlers:
        log.addHandler(logging.NullHandler())


def first_line(error: object) -> str:
    """The first line of what an SDK says, without its final stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__
