import asyncio
import json

import pytest

from facegan.app.request_filter import API, RequestFilter


@pytest.fixture
def through(tmp_path):
    """Sends a request through the filter to an application that records what reached it."""

    def run(path, body=None, *, kind="application/json", answer=b"{}"):
        reached, sent = {}, []

        async def application(scope, receive, send):
            message = await receive()
            reached.update(path=scope["path"], body=message["body"])
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind.encode())]}
            )
            await send({"type": "http.response.body", "body": answer})

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
        request_filter = RequestFilter(application, tmp_path, lambda *file: reached.update(file=file))
        asyncio.run(request_filter(scope, receive, send))
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:]), reached

    return run


def test_request_filter_hides_and_resolves_paths(through, tmp_path):
    reply = json.dumps([f"{tmp_path}/abc/me.png"]).encode()
    assert through(f"{API}/upload", b"", answer=reply)[1] == b'["/files/abc/me.png"]'
    sent = {
        "data": [{"path": "/files/abc/me.png", "meta": 1}],
        "session_hash": "me",
    }
    status, _, reached = through(f"{API}/queue/join", json.dumps(sent).encode())
    assert status == 200
    assert json.loads(reached["body"])["data"] == [{"path": f"{tmp_path}/abc/me.png", "meta": 1}]
    assert reached["file"] == ("me", tmp_path / "abc/me.png")
    assert through(f"{API}/file=/files/abc/me.png")[2]["path"] == f"{API}/file={tmp_path}/abc/me.png"


def test_request_filter_image_passes_unchanged(through, tmp_path):
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
def test_request_filter_other_file_is_refused(through, path):
    assert through(f"{API}/file={path}")[0] == 404
    body = json.dumps({"data": [[{"value": {"path": path}}]]}).encode()
    status, _, reached = through(f"{API}/queue/join", body)
    assert (status, reached) == (404, {})


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
def test_request_filter_other_route_is_refused(through, path):
    assert through(path)[0] == 404


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"\xff\xfe", bytes(9_000_000)])
def test_request_filter_bad_body_is_refused(through, body):
    assert through(f"{API}/queue/join", body)[0] == 400
