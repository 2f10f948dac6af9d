"""The page in Chromium: every control is used and the results are compared."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from tests.facegan.app.page_server import run_server

from facegan.app.controls import SLIDERS
from facegan.provenance import detect_provenance

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def wait_for(page, condition, argument=None):
    return page.wait_for_function(condition, arg=argument)


def wait_for_status(page, text):
    wait_for(page, "text => document.querySelector('#status').innerText.includes(text)", text)


def displayed_image(page, place):
    """The image displayed there, H×W×3."""
    source = page.locator(f"{place} img").first.get_attribute("src")
    if source.startswith("data:"):
        data = base64.b64decode(source.partition(",")[2])
    else:
        reply = page.request.get(source)
        assert reply.ok, source
        data = reply.body()
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def image_after(page, place, action):
    """The image displayed there once an action has changed it."""
    before = page.locator(f"{place} img").first.get_attribute("src")
    action()
    wait_for(
        page,
        "([at, old]) => { const i = document.querySelector(at + ' img'); return i && i.src != old }",
        [place, before],
    )
    return displayed_image(page, place)


def choose_example(page, number=0):
    page.locator("#examples button").nth(number).click()
    page.wait_for_selector("#source img")


def open_edit(page, head=0):
    page.get_by_role("tab", name="Edit").click()
    choose_example(page, head)
    page.wait_for_selector("#edited img")


def set_slider(page, name, value):
    page.locator(f"#slider-{name} input[type=number]").fill(str(value))
    page.locator(f"#slider-{name} input[type=number]").press("Enter")


def sliders(page):
    return [float(page.locator(f"#slider-{c.name} input[type=number]").input_value()) for c in SLIDERS]


def wait_for_message(page, sentence):
    page.locator(".toast-body", has_text=sentence).first.wait_for()


def download(page, button):
    with page.expect_download() as started:
        page.locator(button).click()
    return Path(started.value.path()), started.value.suggested_filename


def is_marked(path, name):
    """Whether a download contains a provenance manifest."""
    manifest = detect_provenance(path.rename(path.with_name(name))).manifest
    path.with_name(name).rename(path)
    return manifest is not None


def test_edit_every_slider_changes_the_result(server, open_page):
    page = open_page(server.url)
    open_edit(page)
    own = sliders(page)
    for slider in SLIDERS:
        before = displayed_image(page, "#edited")
        shown = image_after(page, "#edited", lambda s=slider: set_slider(page, s.name, s.maximum))
        assert shown.shape == (64, 64, 3)
        assert shown.std() > 5
        assert (shown != before).any(), slider.name
    image_after(page, "#edited", page.locator("#reset").click)
    wait_for(
        page, "v => document.querySelector('#slider-yaw input[type=number]').value == v", str(int(own[-2]))
    )
    assert sliders(page) == own


def test_edit_random_background_paste_back_download(server, open_page, smile):
    page = open_page(server.url)
    open_edit(page, 1)
    own, first = sliders(page), displayed_image(page, "#edited")
    random = image_after(page, "#edited", page.locator("#random").click)
    assert sliders(page) != own
    assert (random != first).any()
    image_after(page, "#edited", page.locator("#reset").click)
    colored = image_after(page, "#edited", page.get_by_label("Color", exact=True).check)
    assert (colored != first).any()
    page.locator("#background").get_by_label("Image").check()
    page.wait_for_selector("#background-image input[type=file]", state="attached")
    behind = image_after(
        page, "#edited", lambda: page.set_input_files("#background-image input[type=file]", smile)
    )
    assert (behind != colored).any()
    image_after(page, "#edited", page.get_by_label("Original").check)
    page.locator("#edit-paste-back input").check()
    wait_for(page, "() => document.querySelector('#edited img').naturalWidth == 256")
    pasted = displayed_image(page, "#edited")
    path, name = download(page, "#download-edited")
    assert name == "facegan.png"
    assert np.array_equal(np.asarray(Image.open(path).convert("RGB")), pasted)
    assert is_marked(path, name)


def test_edit_background_color_changes_the_result(server, open_page):
    page = open_page(server.url)
    open_edit(page)
    blue = image_after(page, "#edited", page.get_by_label("Color", exact=True).check)
    page.wait_for_selector("#color button, #color input")
    page.locator("#color button").first.click()
    text = page.locator("#color input[type=text]").first
    green = image_after(page, "#edited", lambda: (text.fill("#00ff00"), text.press("Enter")))
    assert (green != blue).any()


def test_reenact_video_is_played_and_downloaded(server, open_page):
    page = open_page(server.url)
    choose_example(page)
    page.locator("#example-driving").click()
    page.wait_for_selector("#driving-video video")
    page.locator("#start").click()
    page.wait_for_selector("#preview img")
    assert displayed_image(page, "#preview").std() > 5
    page.wait_for_selector("#player video")
    assert "36 frames at 12 fps" in page.locator("#status").inner_text()
    path, name = download(page, "#download-reenacted")
    assert name == "facegan.mp4"
    assert is_marked(path, name)
    with av.open(str(path)) as film:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in film.decode(video=0)]
    assert len(frames) == 36
    assert max(np.abs(frames[0] - frame).max() for frame in frames) > 5


def test_reenact_options_change_the_result(server, open_page, smile):
    page = open_page(server.url)
    choose_example(page)
    page.locator("#driving-kind").get_by_label("Image").check()
    page.set_input_files("#driving-image input[type=file]", smile)
    page.wait_for_selector("#driving-image img")

    def reenact():
        page.locator("#start").click()
        wait_for_status(page, "Detecting")
        wait_for_status(page, "took")
        return displayed_image(page, "#preview")

    results = [reenact()]
    for option in (
        page.locator("#relative input"),
        page.locator("#smooth input"),
        page.get_by_label("Expression only"),
        page.get_by_label("Pose only"),
    ):
        option.check()
        results.append(reenact())
    page.get_by_label("All", exact=True).check()
    page.locator("#strength input[type=number]").fill("0")
    page.locator("#strength input[type=number]").press("Enter")
    results.append(reenact())
    # Smoothing changes no image, and strength 0 is the same as transferring the pose alone.
    assert len({image.tobytes() for image in results}) == 4
    page.locator("#side-by-side input").check()
    assert reenact().shape[1] > 2 * 64
    page.locator("#side-by-side input").uncheck()
    page.locator("#paste-back input").check()
    assert reenact().shape == (256, 256, 3)
    page.get_by_label("Color", exact=True).check()
    page.locator("#start").click()
    wait_for_message(page, "choose one of the two")


def test_reenact_stopped_can_be_started_again_at_once(server, open_page):
    page = open_page(server.url)
    choose_example(page)
    page.locator("#example-driving").click()
    page.wait_for_selector("#driving-video video")
    for _ in range(3):
        page.locator("#start").click()
        wait_for_status(page, "Rendering")
        page.locator("#stop").click()
        wait_for_status(page, "Stopped")
    page.locator("#start").click()
    page.wait_for_selector("#player video")
    assert "36 frames at 12 fps" in page.locator("#status").inner_text()


def test_camera_records_source_and_driving_video(server, open_page):
    page = open_page(server.url)
    page.locator("#source").get_by_label("Capture from camera").click()
    page.locator("#source [title='grant webcam access'] button").click()
    page.locator("#source").get_by_label("capture photo").click()
    page.wait_for_selector("#source img:not(.hide)")
    page.locator("#driving-video").get_by_label("Capture from camera").click()
    page.locator("#driving-video [title='grant webcam access'] button").click()
    record = page.locator("#driving-video").get_by_label("start recording")
    record.click()
    page.wait_for_timeout(1500)  # the length of the recording
    page.locator("#driving-video").get_by_label("start recording").click()
    page.wait_for_selector("#driving-video .video-container video, #driving-video video[src]")
    page.locator("#start").click()
    page.wait_for_selector("#player video")
    assert "frames" in page.locator("#status").inner_text()


def test_live_follows_the_camera(server, open_page):
    page = open_page(server.url)
    choose_example(page)
    page.get_by_role("tab", name="Live").click()
    page.locator("#camera [title='grant webcam access'] button").click()
    page.locator("#camera").get_by_role("button", name="capture photo").click()
    page.wait_for_selector("#live-screen img")
    shots = [image_after(page, "#live-screen", lambda: None) for _ in range(12)]
    assert all(shot.shape == (64, 64, 3) for shot in shots)
    assert len({shot.tobytes() for shot in shots}) > 4
    text = page.locator("#live-status").inner_text()
    rate, latency = map(float, re.search(r"([\d.]+) frames per second · (\d+) ms per frame", text).groups())
    assert rate > 0
    assert latency > 0
    page.locator("#live-relative input").uncheck()
    page.locator("#live-smooth input").uncheck()
    image_after(page, "#live-screen", lambda: None)
    page.locator("#camera").get_by_role("button", name="capture photo").click()


def test_live_without_source_says_so(server, open_page):
    page = open_page(server.url)
    page.get_by_role("tab", name="Live").click()
    page.locator("#camera [title='grant webcam access'] button").click()
    page.locator("#camera").get_by_role("button", name="capture photo").click()
    wait_for(
        page,
        "() => document.querySelector('#live-status').innerText.includes('choose the source image first')",
    )


def test_page_keyboard_alone_suffices(server, open_page):
    page = open_page(server.url)
    focus = "() => document.activeElement.closest('#examples button') !== null"

    def tab_to(condition):
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate(condition):
                return
        pytest.fail(f"not reached: {condition}")

    tab_to(focus)
    page.keyboard.press("Enter")
    page.wait_for_selector("#source img")
    tab_to("() => document.activeElement.getAttribute('role') === 'tab'")
    if not page.evaluate("() => document.activeElement.innerText === 'Edit'"):
        tab_to("() => document.activeElement.innerText === 'Edit'")
    page.keyboard.press("Enter")
    page.wait_for_selector("#edited img")
    tab_to("() => document.activeElement.closest('#slider-AU12') && document.activeElement.type === 'range'")
    shown = image_after(page, "#edited", lambda: [page.keyboard.press("ArrowRight") for _ in range(5)])
    assert shown.std() > 5
    assert sliders(page)[[s.name for s in SLIDERS].index("AU12")] > 0


def test_page_fits_screen_and_color_scheme(server, open_page):
    page = open_page(server.url)
    for scheme, width in (("light", 1280), ("light", 390), ("dark", 390), ("dark", 1280)):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme)
        page.reload()
        page.wait_for_selector("#source")
        for tab in ("Reenact", "Edit", "Live"):
            page.get_by_role("tab", name=tab).click()
            page.wait_for_selector({"Reenact": "#start", "Edit": "#edited", "Live": "#camera"}[tab])
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (scheme, width, tab)
        level = page.evaluate(
            "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
        )
        assert (max(level) < 80) == (scheme == "dark")


def test_source_unusable_displays_a_sentence(server, open_page, tmp_path):
    page = open_page(server.url)
    page.get_by_role("tab", name="Edit").click()
    bad = tmp_path / "holiday.png"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(300))
    with page.expect_response(re.compile("upload")):
        page.set_input_files("#source input[type=file]", bad)
    wait_for_message(page, "Cannot read the source image")
    Image.new("RGB", (200, 200), "green").save(bad)
    page.locator("#source").get_by_label("Remove Image").click()
    page.set_input_files("#source input[type=file]", bad)
    wait_for_message(page, "No face in the source image")


def test_two_pages_display_their_own_results(server, open_page, face):
    pages = [open_page(server.url), open_page(server.url)]
    for page in pages:
        page.get_by_role("tab", name="Edit").click()
    pages[0].set_input_files("#source input[type=file]", face)
    choose_example(pages[1], 4)
    for page in pages:
        page.wait_for_selector("#edited img")
    mine, yours = (displayed_image(page, "#edited") for page in pages)
    assert np.abs(mine - yours).mean() > 3
    again = image_after(pages[0], "#edited", pages[0].locator("#reset").click)
    assert (again == mine).all()


def test_password_is_required(model, open_page, tmp_path):
    with run_server(model, tmp_path, FACEGAN_PASSWORD="open sesame") as server:
        page = open_page(server.url, wait="input[type=password]")
        assert page.locator("#source").count() == 0
        for path in ("config", "gradio_api/queue/data", "gradio_api/file=/files/a/b.png"):
            assert page.request.get(server.url + path).status == 401
        files = {"files": {"name": "a.png", "mimeType": "image/png", "buffer": b"x"}}
        assert page.request.post(f"{server.url}gradio_api/upload", multipart=files).status == 401
        wrong = {"username": "me", "password": "open"}
        assert page.request.post(f"{server.url}login", form=wrong).status == 400
        page.locator("input[type=password]").fill("open sesame")
        page.locator("input:not([type=password])").first.fill("me")
        page.get_by_role("button", name="Login").click()
        page.wait_for_selector("#source")
        page.context.close()
