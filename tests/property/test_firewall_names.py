"""Names that are read as one are read alike by every rule: the shortcut for clusters' own names changes nothing."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from aks_egress.evaluation.demand import Demand
from aks_egress.evaluation.firewall_names import domain, fqdn_tag
from aks_egress.packets.names import covers

LABELS = st.text("ab1-A?*. {}", max_size=3) | st.sampled_from(
    ("aks-1", "aks-11", "1", "hcp", "io", "microsoft.com", "WindowsUpdate", "msedge", "{region}", "*")
)
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
PATTERNS = NAMES | NAMES.map("*{}".format) | NAMES.map("*.{}".format)
TAGS = ("WindowsUpdate", "WindowsDiagnostics", "AzureBackup", "AzureKubernetesService")


@given(NAMES, NAMES, st.lists(PATTERNS, max_size=4))
@example("aks-1.hcp.io.", "aks-2.hcp.io.", ["aks-1.hcp.io"])
@example("aks-1.hcp.io ", "aks-2.hcp.io ", ["aks-1.hcp.io"])
@example("a.windowsupdate.com", "a.WindowsUpdate.com", [])
def test_names_of_one_domain_are_read_alike(one: str, other: str, patterns: list[str]) -> None:
    """Whatever the rules name: exact names, wildcards, in any case, with dots and spaces at the ends."""
    read_alike(one, other, patterns)


@given(
    st.text("ab1-", min_size=1, max_size=4),
    st.text("ab1-", min_size=1, max_size=4),
    st.lists(PATTERNS, max_size=4),
)
def test_the_names_of_two_clusters_are_read_alike(one: str, other: str, patterns: list[str]) -> None:
    """The same for names that differ in their first label alone, as clusters' do."""
    for tail in ("hcp.io", "hcp.io.", "1.io", "A.io "):
        read_alike(f"{one}.{tail}", f"{other}.{tail}", [*patterns, f"{one}.hcp.io", f"*{other}.hcp.io"])


def read_alike(one: str, other: str, patterns: list[str]) -> None:
    """Assert that rules read two names alike, if these are taken for one."""
    folded = [pattern.strip().rstrip(".").casefold() for pattern in patterns]
    if domain(one, folded) != domain(other, folded):
        return
    assert [covers(pattern, one) for pattern in patterns] == [covers(pattern, other) for pattern in patterns]
    asked, of_other = (Demand(boxes=(), name=name) for name in (one, other))
    assert [fqdn_tag(tag, asked) for tag in TAGS] == [fqdn_tag(tag, of_other) for tag in TAGS]
