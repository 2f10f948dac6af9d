from __future__ import annotations

import io
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from tests.facegan.app.page_server import LEAK, run_server

from facegan.networks.facegan import FaceGAN, FaceGANConfig
from synthetic_heads import render, sample_identity, sample_motion

TINY = {"kind": "global", "width": 8, "downsamplings": 2, "num_residual_blocks": 1}


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    torch.manual_seed(0)
    network = FaceGAN(FaceGANConfig(size=64, reenactor=TINY, background_mixer=TINY))
    for parameter in network.landmark_transformer.parameters():  # its last layer is initialized with zeros
        torch.nn.init.normal_(parameter, std=0.05)
    folder = tmp_path_factory.mktemp("app_model") / "model"
    network.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def server(model, tmp_path_factory):
    with run_server(model, tmp_path_factory.mktemp("app_files")) as running:
        yield running


@pytest.fixture(scope="session")
def camera(tmp_path_factory):
    """What the browser's fake camera shows: a moving synthetic head."""
    path = tmp_path_factory.mktemp("camera") / "head.mjpeg"
    identity = sample_identity(8)
    with path.open("wb") as file:
        for motion in sample_motion(8, 24, 12, motion_style="actor").motion:
            frame = Image.new("RGB", (320, 240), (90, 110, 130))
            frame.paste(Image.fromarray(render(identity, motion, 240).image), (40, 0))
            data = io.BytesIO()
            frame.save(data, "JPEG", quality=90)
            file.write(data.getvalue())
    return path


@pytest.fixture(scope="module")
def chromium(camera):
    # Other modules need asyncio, which Playwright occupies.
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("needs chromium (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=[
                "--no-sandbox",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                f"--use-file-for-fake-video-capture={camera}",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """Opens pages; none may log an error, load from elsewhere, or receive a path of the server."""
    faults: list[str] = []
    contexts = []

    def open_page(url, *, wait="#source", **options):
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        context.grant_permissions(["camera", "microphone"])
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)

        def check_request(request):
            if not request.url.startswith((url, "data:", "blob:")):
                faults.append(f"request to {request.url}")

        def check_response(response):
            kind = response.headers.get("content-type", "")
            if response.url.startswith(f"{url}gradio_api/upload") or "json" in kind or "html" in kind:
                leak = LEAK.search(response.text())
                if leak:
                    faults.append(f"{response.url} contains {leak[0]}")

        page.on("request", check_request)
        page.on("response", check_response)
        page.on("console", lambda message: message.type == "error" and faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(url)
        page.wait_for_selector(wait)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture(scope="session")
def face(tmp_path_factory):
    """An image of somebody who is not among the examples."""
    path = tmp_path_factory.mktemp("sources") / "somebody.jpg"
    Image.fromarray(render(sample_identity(77), np.zeros(20, np.float32), 256).image).save(path)
    return path


@pytest.fixture(scope="session")
def smile(tmp_path_factory):
    """A driving image."""
    path = tmp_path_factory.mktemp("driving") / "smile.png"
    motion = np.zeros(20, np.float32)
    motion[8], motion[18] = 0.8, 0.5
    Image.fromarray(render(sample_identity(78), motion, 256).image).save(path)
    return path
