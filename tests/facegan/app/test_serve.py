"""The served page as a client sees it that keeps to no rule."""

from __future__ import annotations

import base64
import io
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import httpx
import numpy as np
import pytest
from PIL import Image
from tests.facegan.app.hostile_files import (
    EITHER,
    REFUSED,
    RESULT,
    encode_image,
    encode_video,
    hostile_files,
    render_frames,
    render_head,
)
from tests.facegan.app.page_server import API, PageClient, Refused

from facegan.app.error_messages import UNEXPECTED
from facegan.app.examples import Examples
from facegan.app.page import build_page
from facegan.app.session import SessionManager
from facegan.inference import Animator, edit


@pytest.fixture
def client(server):
    with PageClient(server.url) as client:
        yield client


@pytest.fixture(scope="module")
def png():
    return encode_image(render_head(), "PNG")


def use(client, field, upload, face):
    """Make a result with an upload in a field."""
    if field == "source":
        return client.file(client.trigger("source", "change", source=upload)["edited"])
    if field == "driving-video":
        outputs = client.trigger("start", "click", source=face, driving_video=upload)
        return client.file(outputs["download-reenacted"])
    values = {"source": face, "background": "Image", "background_image": upload}
    return client.file(client.trigger("background-image", "change", **values)["edited"])


@pytest.mark.slow
def test_upload_hostile_file_is_refused_in_one_sentence(server, png):
    wrong = []
    for field, name, data, expected in hostile_files():
        with PageClient(server.url) as client:
            try:
                face = client.upload("face.png", png)
                result = use(client, field, client.upload(name, data), face)
                outcome, message = RESULT, ""
                assert result[4:8] == b"ftyp" or Image.open(io.BytesIO(result)).size[0] > 0
            except Refused as error:
                outcome, message = REFUSED, str(error)
        sentence = outcome == RESULT or re.fullmatch(r".*[a-z]{3} [a-z].*", message)
        if not sentence or message == UNEXPECTED or expected not in (outcome, EITHER):
            wrong.append((field, name, outcome, message))
    assert wrong == []


@pytest.mark.slow
def test_request_that_page_never_sends_is_refused(client, png):
    face = client.upload("face.png", png)
    white = encode_image(Image.new("L", (8000, 8000), 255), "PNG")

    def file(path, url=None):
        return {"path": path, "url": url, "orig_name": "a.png", "meta": {"_type": "gradio.FileData"}}

    values = [
        *(
            ("source", "change", {"source": file(path)})
            for path in ("/etc/passwd", "/files/../../etc/passwd")
        ),
        *(("source", "change", {"source": file(path)}) for path in ("http://169.254.169.254/a", "/files/x")),
        ("source", "change", {"source": 7}),
        ("slider-AU12", "input", {"source": face, "sliders": 1e9}),
        ("slider-AU12", "input", {"source": face, "sliders": "much"}),
        ("start", "click", {"source": face, "only": "../../etc"}),
        ("start", "click", {"source": face, "strength": "strong"}),
    ]
    for name, event, given in values:
        with pytest.raises(Refused):
            client.trigger(name, event, **given)
    for url in ("data:image/png;base64,AAAA", "data:image/png;base64," + base64.b64encode(white).decode()):
        outputs = client.trigger("camera", "stream", source=face, camera=file(None, url))
        assert "annot read the camera image" in outputs["live-status"]
    bodies = (b"{", b"[" * 100_000, bytes(20_000_000), b'{"data": [], "fn_index": 999, "session_hash": "a"}')
    assert all(client.post(f"{API}queue/join", content=body).status_code >= 400 for body in bodies)
    assert client.post(f"{API}upload", content=b"--x").status_code >= 400
    for path in (
        *(
            "file=/etc/passwd",
            "file=/files/../../../../etc/passwd",
            "file=http://127.0.0.1:1/",
            "info",
            "runs",
        ),
        *("file=/files/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "openapi.json", "proxy=http://127.0.0.1:1/"),
        *("deep_link?session_hash=a", "../monitoring", "../docs", "../static/../../../../etc/passwd"),
        "../assets/..%2f..%2f..%2fetc/passwd",
    ):
        assert client.get(f"{API}{path}").status_code >= 400, path
    assert client.file(client.trigger("source", "change", source=face)["edited"])  # it still works


@pytest.mark.slow
def test_server_many_users_each_get_their_own_result(server, model):
    faces = [render_head(100 + number) for number in range(6)]
    driving = encode_video(render_frames(4))
    start = Barrier(len(faces))

    def visit(face):
        with PageClient(server.url) as client:
            mine = client.upload("me.png", encode_image(face, "PNG"))
            start.wait()
            edited = client.file(client.trigger("source", "change", source=mine)["edited"])
            video = client.upload("driving.mp4", driving)
            client.trigger("start", "click", source=mine, driving_video=video)
            with pytest.raises(AssertionError):
                client.file({"path": "/files/" + "0" * 32 + "/me.png"})
            return np.asarray(Image.open(io.BytesIO(edited)).convert("RGB"), float)

    with ThreadPoolExecutor(len(faces)) as pool:
        results = list(pool.map(visit, faces))
    animator = Animator.from_pretrained(str(model))
    expected = [edit(animator, animator.prepare(np.asarray(face)), {}) for face in faces]
    for number, result in enumerate(results):
        assert np.argmin([np.abs(result - one).mean() for one in expected]) == number


@pytest.mark.slow
def test_server_session_closes_deletes_its_files(server, client, png):
    own = encode_image(render_head(200), "PNG")
    before = server.files
    with PageClient(server.url) as leaving:
        leaving.trigger("source", "change", source=leaving.upload("me.png", own))
        assert len(server.files - before) == 2
    for _ in range(100):
        if server.files == before:
            return
        time.sleep(0.1)
    pytest.fail(f"left: {server.files - before}")


@pytest.mark.slow
def test_queue_full_refuses_further_events(client, png):
    face = client.upload("face.png", png)
    client.trigger("source", "change", source=face)
    with ThreadPoolExecutor(60) as pool:
        clients = [PageClient(str(client._http.base_url)) for _ in range(60)]
        jobs = [pool.submit(one.trigger, "source", "change", source=face) for one in clients]
        messages = [str(job.exception()) for job in jobs if job.exception()]
    for one in clients:
        one.close()
    assert messages
    assert all("queue is full" in message.lower() for message in messages)


@pytest.mark.slow
def test_page_old_upload_is_deleted_by_gradio(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr("facegan.app.page.DELETE_EVERY", 1)
    monkeypatch.setattr("facegan.app.page.MAX_FILE_AGE", 1)
    sessions = SessionManager(None, tmp_path)
    (sessions.examples / "head.png").touch()
    page = build_page(sessions, Examples((sessions.examples / "head.png",)))
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", ssr_mode=False)
    try:
        reply = httpx.post(f"{url}{API}upload", files={"files": ("a.png", b"x")})
        path = Path(reply.json()[0])
        assert path.is_relative_to(tmp_path)
        for _ in range(100):
            if not path.exists():
                break
            time.sleep(0.1)
        assert not path.exists()
        assert (sessions.examples / "head.png").exists()
    finally:
        page.close(verbose=False)
