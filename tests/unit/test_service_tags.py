"""The service-tag data in use, and how it is renewed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from aks_egress_scan import tag_update
from aks_egress_scan.__main__ import main
from aks_egress_scan.failures import UsageFailure
from aks_egress_scan.service_tags import cache_file, load

DATA = {
    "changeNumber": 398,
    "cloud": "Public",
    "values": [
        {
            "name": "AzureCloud.westeurope",
            "properties": {"addressPrefixes": ["20.50.0.0/16", "2603:1020::/40"]},
        },
        {"name": "Storage.WestEurope", "properties": {"addressPrefixes": ["20.50.2.0/24"]}},
    ],
}
PUBLISHED = Path(__file__).resolve().parents[3] / "shared/data/ServiceTags_Public_cn398.json"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of our own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AKS_EGRESS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def server() -> Iterator[str]:
    """A server on loopback with a download page and the file it links to."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = {"/tags.json": json.dumps(DATA).encode(), "/none.json": b"{}", "/text": b"no json"}.get(
                self.path
            )
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Silent."""

    made = HTTPServer(("127.0.0.1", 0), Answers)
    thread = Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()


def keep(data: object) -> None:
    """Put data into the cache."""
    file = Path("kept.json")
    file.write_text(json.dumps(data), "utf-8")
    tag_update.update(str(file), "public", lambda sentence: None)


def test_without_a_file_and_a_cache_there_is_no_data() -> None:
    """Tags are then reasoned about by name."""
    assert not load("")
    assert load("").source == "none"


def test_a_named_file_wins_over_the_cache(tmp_path: Path, cache: Path) -> None:
    """And says what it is."""
    (tmp_path / "tags.json").write_text(json.dumps(DATA), "utf-8")
    keep(DATA | {"changeNumber": 7})
    assert (load("tags.json").source, load("tags.json").change_number) == ("file", 398)
    assert (load("").source, load("").change_number) == ("cache", 7)
    assert not load("", "china")


def test_a_damaged_cache_is_spoken_of_and_left_out(cache: Path) -> None:
    """It is nobody's wrong usage."""
    keep(DATA)
    whole = Path(cache_file()).read_bytes()
    for data in (
        whole[:-3],
        whole[:40],
        b"",
        b"{}\n",
        b"null\n",
        json.dumps(DATA).encode(),
        whole.replace(b'"size"', b'"siez"'),
    ):
        Path(cache_file()).write_bytes(data)
        said: list[str] = []
        assert not load("", say=said.append)
        assert "damaged" in said[0]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"values": 1}', '{"values": [{"name": "a"}]}', "\x00", "[" * 100_000]
)
def test_a_named_file_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    """Never taken as empty."""
    (tmp_path / "tags.json").write_text(text, "utf-8")
    with pytest.raises(UsageFailure, match="is no service-tag file"):
        load("tags.json")


def test_update_takes_a_file_or_an_address(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And `show` knows it from then on."""
    assert main(["tags", "update", f"{server}/tags.json"]) == 0
    assert main(["tags", "show"]) == 0
    assert capsys.readouterr().out == "source cache, change number 398, cloud Public, 2 tags\n"
    (tmp_path / "new.json").write_text(json.dumps(DATA | {"changeNumber": 399}), "utf-8")
    assert main(["tags", "update", "new.json"]) == 0
    assert load("").change_number == 399


def test_update_follows_the_download_page(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The link to the file of the week stands in the page."""
    page = (
        b'<a href="https://download.microsoft.com/download/7/1/d/71d86715/ServiceTags_Public_20260615.json">'
    )
    asked = []

    def fetched(url: str, _say: object) -> bytes:
        asked.append(url)
        return page if "details.aspx" in url else json.dumps(DATA).encode()

    monkeypatch.setattr(tag_update, "_fetched", fetched)
    tag_update.update("", "public", lambda sentence: None)
    assert (
        asked[1] == "https://download.microsoft.com/download/7/1/d/71d86715/ServiceTags_Public_20260615.json"
    )


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("{}/missing.json", "cannot download"),
        ("{}/none.json", "it has no list `values`"),
        ("{}/text", "no JSON"),
        ("http://example.com/tags.json", "is no https address"),
        ("ftp://127.0.0.1/tags.json", "is no https address"),
        ("file:///etc/passwd", "is no https address"),
        ("nowhere.json", "cannot read `nowhere.json`"),
    ],
)
def test_update_keeps_the_cache_where_the_new_data_is_none(
    source: str, sentence: str, server: str, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a sentence and exit 2."""
    keep(DATA)
    assert main(["tags", "update", source.format(server)]) == 2
    assert sentence in capsys.readouterr().err
    assert load("").change_number == 398


def test_update_refuses_the_data_of_another_cloud(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Addresses of one cloud prove nothing in another."""
    (tmp_path / "gov.json").write_text(json.dumps(DATA | {"cloud": "AzureGovernment"}), "utf-8")
    assert main(["tags", "update", "gov.json"]) == 2
    assert "name it with `--cloud usgov`" in capsys.readouterr().err
    assert main(["tags", "update", "gov.json", "--cloud", "usgov"]) == 0
    assert load("", "usgov")


def test_show_answers_for_tags_and_addresses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Prefixes of a tag, tags of an address, a hint for a tag that is nearly right."""
    (tmp_path / "t.json").write_text(json.dumps(DATA), "utf-8")
    tags = ["--service-tags", "t.json"]
    assert main(["tags", "show", "azurecloud.WESTEUROPE", *tags]) == 0
    assert capsys.readouterr().out == "20.50.0.0/16\n2603:1020::/40\n"
    assert main(["tags", "show", "20.50.2.17", *tags]) == 0
    assert capsys.readouterr().out == "azurecloud.westeurope\nstorage.westeurope\n"
    assert main(["tags", "show", "AzureCloud.westeurop", *tags]) == 2
    assert "did you mean `azurecloud.westeurope`?" in capsys.readouterr().err


def test_the_cache_answers_as_the_file_does(tmp_path: Path) -> None:
    """Tag by tag, and it knows the day in the file's name."""
    file = tmp_path / "ServiceTags_Public_20260615.json"
    file.write_text(json.dumps(DATA), "utf-8")
    tag_update.update(str(file), "public", lambda sentence: None)
    one, other = load(str(file)), load("")
    assert dict(one.members) == dict(other.members)
    assert (other.date, other.cloud, other.change_number) == ("2026-06-15", "Public", 398)
    assert one.prefixes("AzureCloud.westeurope") == other.prefixes("AzureCloud.westeurope")
    assert other.prefixes("NoSuchTag") is None


@pytest.mark.skipif(not PUBLISHED.is_file(), reason="the published file is not on this machine")
def test_the_published_file_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    """As Microsoft publishes it."""
    tags = load(str(PUBLISHED))
    assert tags.change_number == 398
    assert len(tags.members) > 2000
    assert main(["tags", "show", "AzureCloud.westeurope", "--service-tags", str(PUBLISHED)]) == 0
    assert len(capsys.readouterr().out.splitlines()) > 50
