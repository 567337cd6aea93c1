"""The configuration: every wrong key is named with its line, and what is right arrives."""

from __future__ import annotations

import json
import tomllib
from argparse import ArgumentParser, Namespace
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aks_egress_scan import config
from aks_egress_scan.config_check import complaints
from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.options import OPTIONS, Choices, Output, add_shared, stray_variables, variable_of
from aks_egress_scan.toml_lines import lines_of

SCHEMA = json.loads(Path(config.__file__).with_name("config.schema.json").read_text("utf-8"))
WHOLE = """\
inputs = ["infra"]          # what to judge
context = ["../hub"]
params = ["env=prod", "p.json"]
clusters = ["aks-a"]
cloud = "china"
tunnel = "aks-link"
features = ["gpu"]
service-tags = "tags.json"
fail-on = "warning"

[severities]
EGR504 = "off"

[api-server-addresses]
"aks-a" = "20.1.2.3"

[[appliance]]
address = "10.0.0.4"
name = "palo"

[[appliance.allow]]
to = ["AzureCloud.westeurope", "10.0.0.0/8"]
ports = [443, "9000-9010"]
protocol = "tcp"

[[appliance.allow]]
names = ["*.hcp.westeurope.azmk8s.io"]

[[node-subnet]]
subnet = "snet-nodes"
outbound-type = "userDefinedRouting"

[[requirement]]
id = "vault"
host = "vault.example.com"
ports = [8200]
breaks = ["secrets"]

[[suppress]]
rule = "EGR201"
resource = "nsg-*"
reason = "the proxy does it"
until = 2027-01-31
"""


def read(tmp_path: Path, text: str, name: str = "aks-egress.toml") -> config.Configuration:
    """What a configuration text says."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    return config.read(str(tmp_path / name))


def refused(tmp_path: Path, text: str, name: str = "aks-egress.toml") -> list[str]:
    """The lines of complaint about a text, without the folder."""
    with pytest.raises(UsageFailure) as failure:
        read(tmp_path, text, name)
    return [line.removeprefix(f"{tmp_path}/") for line in str(failure.value).splitlines()]


def test_everything_that_can_be_declared_arrives(tmp_path: Path) -> None:
    """With its place in the file."""
    found = read(tmp_path, WHOLE)
    settings = found.settings
    appliance = settings.appliances[0]
    assert (appliance.address, appliance.name, appliance.source.line) == ("10.0.0.4", "palo", 17)
    assert appliance.allows[0].destinations == ("AzureCloud.westeurope", "10.0.0.0/8")
    assert appliance.allows[0].ports == ((443, 443), (9000, 9010))
    assert appliance.allows[0].protocols == ("TCP",)
    assert appliance.allows[1].names == ("*.hcp.westeurope.azmk8s.io",)
    assert settings.node_subnets[0].outbound_type == "userDefinedRouting"
    assert settings.requirements[0].ports == ((8200, 8200),)
    assert settings.requirements[0].kind == "fqdn"
    assert settings.severities == {"EGR504": "off"}
    assert settings.api_server_addresses == {"aks-a": "20.1.2.3"}
    assert settings.suppressions[0].until == date(2027, 1, 31)
    assert settings.suppressions[0].source.line == WHOLE.splitlines().index("[[suppress]]") + 1


def test_paths_are_seen_from_the_file(tmp_path: Path) -> None:
    """Whatever folder the command runs in."""
    options = read(tmp_path, WHOLE).options
    assert options["inputs"] == [str(tmp_path / "infra")]
    assert options["context"] == [str(tmp_path.parent / "hub")]
    assert options["param"] == ["env=prod", str(tmp_path / "p.json")]
    assert options["service-tags"] == str(tmp_path / "tags.json")


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ('cloud = "public"\n\nfetures = ["gpu"]\n', 3, "unknown key `fetures`: did you mean `features`?"),
        ('cloud = "marz"\n', 1, "`cloud` is `marz`, which is none of public, china, usgov"),
        ('fail_on = "error"\n', 1, "did you mean `fail-on`?"),
        ("clusters = [\n  'a',\n  7,\n]\n", 3, "`clusters[2]` must be text in quotes, not `7`"),
        ("[[appliance]]\nname = 'x'\n", 1, "`appliance[1]` has no `address`"),
        ("[[appliance]]\naddress = '10.0.0.400'\n", 2, "`10.0.0.400` is no IP address"),
        (
            "[[appliance]]\naddress = '10.0.0.4'\n[[appliance]]\naddress = '10.0.0.5'\nport = 1\n",
            5,
            "unknown key `port` in `appliance[2]`",
        ),
        (
            "[[appliance]]\naddress = '10.0.0.4'\n[[appliance.allow]]\nports = [1]\n",
            3,
            "says neither `to` what nor which `names`",
        ),
        (
            "[[appliance]]\naddress = '10.0.0.4'\n[[appliance.allow]]\nto = ['10.0.0.1/8']\n",
            4,
            "bits stand beyond the prefix",
        ),
        (
            "[[appliance]]\naddress = '10.0.0.4'\nallow = [{to = ['*'], ports = ['9-3']}]\n",
            3,
            "`9-3` is no port",
        ),
        ("[[requirement]]\nid = 'a'\n", 1, "names exactly one of `host`, `tag` and `address`"),
        ("[[suppress]]\nrule = 'EGR201'\n", 1, "`suppress[1]` has no `reason`"),
        ("[[suppress]]\nreason = 'x'\n", 1, "a suppression names its `rule`"),
        (
            "[[suppress]]\nrule = 'EGR201'\nreason = 'x'\nuntil = '2027-02-31'\n",
            4,
            "is no day of the calendar",
        ),
        ("[[suppress]]\nrule = 'egr201'\nreason = 'x'\n", 2, "a code (EGR201) or a family (EGR2)"),
        ("[severities]\nEGR1 = 'error'\n", 2, "`EGR1` is no rule code"),
        ("max-size = true\n", 1, "`max-size` must be a whole number, not true or false"),
        ("max-size = 0\n", 1, "`max-size` is out of range"),
    ],
)
def test_a_wrong_key_is_an_error_with_its_line(text: str, line: int, sentence: str, tmp_path: Path) -> None:
    """And a hint where a name is nearly right."""
    said = refused(tmp_path, text)
    assert said[0].startswith(f"aks-egress.toml:{line}: ")
    assert sentence in said[0]


def test_every_wrong_key_is_named_at_once(tmp_path: Path) -> None:
    """Nobody mends a file one error at a time."""
    assert len(refused(tmp_path, "a = 1\nb = 2\ncloud = 3\n")) == 3


def test_what_is_no_toml_says_where(tmp_path: Path) -> None:
    """With the parser's own line."""
    assert "is not TOML" in refused(tmp_path, "a = \n")[0]
    assert "line 1" in refused(tmp_path, "a = \n")[0]


def test_pyproject_lends_its_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines count from the top of that file; a file of our own wins; other tables are not ours."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "aks-egress-users"\n', "utf-8")
    assert config.read() == config.Configuration()
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\n\n[tool.aks-egress]\ncloud = "usgov"\n', "utf-8"
    )
    assert config.read().options["cloud"] == "usgov"
    (tmp_path / "aks-egress.toml").write_text('cloud = "china"\n', "utf-8")
    assert config.read().options["cloud"] == "china"
    assert refused(tmp_path, "[tool.aks-egress]\n\nclud = 1\n", "pyproject.toml")[0].startswith(
        "pyproject.toml:3: "
    )


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 70000)
    | st.sampled_from(["", "public", "EGR201", "443", "9-1", "2027-01-31", "x"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["to", "ports", "address", "rule", "id", "x"]), inner, max_size=3)
    ),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*SCHEMA["properties"], "x"]), VALUES, max_size=3))
def test_our_check_agrees_with_the_schema(table: dict[str, Any]) -> None:
    """What it lets through, a validator of the whole language lets through too, and the other way round."""
    ours = list(complaints(table, SCHEMA))
    assert bool(ours) == bool(list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(table)))


def test_the_schema_is_one() -> None:
    """By its own meta-schema."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


KEYS = st.sampled_from(["a", "b", '"c d"', "'e.f'"])
SCALARS = st.sampled_from(
    [
        "1",
        "'x#y'",
        '"q\\"r"',
        '"""m\n#n\n"""',
        "'''o\n'''",
        "true",
        "2027-01-31",
        "[1,\n 2, # c\n 3]",
        "{ a = 1, b = [2] }",
    ]
)


@given(st.lists(st.tuples(st.sampled_from(["pair", "table", "row"]), KEYS, KEYS, SCALARS), max_size=6))
def test_every_key_of_a_toml_text_has_its_line(parts: list[tuple[str, str, str, str]]) -> None:
    """The line that is found is one on which the key stands."""
    text = ""
    for kind, one, other, value in parts:
        text += {
            "pair": f"{one} = {value}\n",
            "table": f"[{one}.{other}]\n",
            "row": f"[[{one}]] # note\n{other} = {value}\n",
        }[kind]
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    lines = lines_of(text)
    rows = text.split("\n")
    for path in _paths(data):
        assert path in lines
        if isinstance(path[-1], str):
            assert path[-1] in rows[lines[path] - 1]


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, item in value.items():
            found += _paths(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += _paths(item, (*path, index))
    return found


def test_the_command_line_wins_over_the_environment_and_that_over_the_file() -> None:
    """In that order, for every kind of option."""
    chosen = Namespace(cloud=None, feature=None, fail_on="never", outputs=None, no_suppressions=None)
    choices = Choices(
        chosen,
        {"cloud": "china", "feature": ["gpu"], "fail-on": "error", "format": "json", "no-suppressions": True},
        {
            "AKS_EGRESS_CLOUD": "usgov",
            "AKS_EGRESS_FEATURE": "windows, defender",
            "AKS_EGRESS_CONTEXT": "a b.json\nc.json\n",
        },
    )
    assert choices.one("cloud") == "usgov"
    assert choices.one("fail-on", "error") == "never"
    assert choices.one("tunnel", "auto") == "auto"
    assert choices.many("feature") == ("windows", "defender")
    assert choices.many("context") == ("a b.json", "c.json")
    assert choices.flag("no-suppressions") is True
    assert choices.outputs() == (Output("json"),)


@pytest.mark.parametrize(
    ("variable", "ask"),
    [
        ("AKS_EGRESS_CLOUD", lambda choices: choices.one("cloud")),
        ("AKS_EGRESS_FORMAT", lambda choices: choices.outputs()),
        ("AKS_EGRESS_NO_SUPPRESSIONS", lambda choices: choices.flag("no-suppressions")),
        ("AKS_EGRESS_MAX_SIZE", lambda choices: choices.number("max-size", 1)),
    ],
)
def test_a_wrong_word_in_the_environment_is_refused_by_name(variable: str, ask: Any) -> None:
    """It would else be taken for a default."""
    with pytest.raises(UsageFailure, match="marz"):
        ask(Choices(Namespace(), {}, {variable: "marz"}))


def test_a_misspelt_variable_is_spoken_of() -> None:
    """Every option has its variable, and nothing else is one."""
    given = {variable_of(option): "x" for option in OPTIONS} | {"AKS_EGRESS_FAILON": "never", "PATH": "x"}
    assert stray_variables(given) == ["AKS_EGRESS_FAILON"]
    parser = ArgumentParser()
    add_shared(parser)
    offered = {
        flag[2:] for action in parser._actions for flag in action.option_strings if flag.startswith("--")
    }
    assert offered - {"help"} <= set(OPTIONS)
