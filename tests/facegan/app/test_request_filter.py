import asyncio
import json

import pytest

from facegan.app.request_filter import API, RequestFilter


@pytest.fixture
def through(tmp_path):
    """Sends a request through the gate to an application that tells what reached it."""

    def run(path, body=None, *, kind="application/json", answer=b"{}", chunks=None):
        reached, sent = {}, []

        async def application(scope, receive, send):
            message = await receive()
            reached.update(path=scope["path"], body=message["body"])
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind.encode())]}
            )
            for chunk in chunks or [answer]:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})

        async def receive():
            return {"type": "http.request", "body": body or b""}

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http",
            "path": path,
            "method": "GET" if body is None else "POST",
            "headers": [(b"content-type", b"application/json")],
        }
        kept = []
        gate = RequestFilter(application, tmp_path, lambda *file: kept.append(file))
        asyncio.run(gate(scope, receive, send))
        reached |= {"kept": kept} if kept else {}
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:]), reached

    return run


def test_paths_are_hidden_and_found_again(through, tmp_path):
    told = json.dumps([f"{tmp_path}/abc/me.png"]).encode()
    assert through(f"{API}/upload", b"", answer=told)[1] == b'["/files/abc/me.png"]'
    sent = {
        "data": [{"path": "/files/abc/me.png", "url": f"http://x{API}/file=/files/abc/me.png", "meta": 1}],
        "session_hash": "me",
    }
    status, _, reached = through(f"{API}/queue/join", json.dumps(sent).encode())
    assert status == 200
    assert json.loads(reached["body"])["data"] == [{"path": f"{tmp_path}/abc/me.png", "meta": 1}]
    assert reached["kept"] == [("me", tmp_path / "abc/me.png")]
    assert through(f"{API}/file=/files/abc/me.png")[2]["path"] == f"{API}/file={tmp_path}/abc/me.png"


def test_pictures_pass_untouched(through, tmp_path):
    data = b"\x89PNG" + bytes(str(tmp_path), "utf-8")
    assert through(f"{API}/file=/files/a/b.png", kind="image/png", answer=data)[1] == data


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "/files/../../etc/passwd",
        "/files",
        "/files/",
        "files/a/b.png",
        "http://127.0.0.1/a.png",
        "/filesystem/a",
        "//files/a/b",
        "/files/a/\0b",
    ],
)
def test_other_files_are_refused(through, path):
    assert through(f"{API}/file={path}")[0] == 404
    body = json.dumps({"data": [[{"value": {"path": path}}]]}).encode()
    status, text, reached = through(f"{API}/queue/join", body)
    assert (status, reached) == (400, {})
    assert text == b"This request is not one of the page's."


@pytest.mark.parametrize(
    "path",
    [
        "/docs",
        f"{API}/info",
        f"{API}/run/predict",
        f"{API}/call/x",
        f"{API}/proxy=http://x/",
        "/monitoring",
        "/x",
    ],
)
def test_what_the_page_does_not_need_is_not_there(through, path):
    assert through(path)[0] == 404


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"\xff\xfe", bytes(9_000_000)])
def test_bad_bodies_are_refused(through, body):
    assert through(f"{API}/queue/join", body)[0] == 400


def test_addresses_are_not_fetched(through):
    sent = {
        "data": [
            {"path": None, "url": "http://127.0.0.1/"},
            {"path": None, "url": "data:image/png;base64,AA"},
        ]
    }
    _, _, reached = through(f"{API}/queue/join", json.dumps(sent).encode())
    assert json.loads(reached["body"])["data"] == [{"path": None}, sent["data"][1]]
