"""The page in a real browser: every control used, the results looked at."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageOps
from tests.facegan.app.serving import serving

from facegan.app.controls import CONTROLS
from facegan.provenance import verify


def until(page, condition, argument=None):
    return page.wait_for_function(condition, arg=argument)


def picture(page, place):
    """The picture that is shown there, H×W×3."""
    source = page.locator(f"{place} img").first.get_attribute("src")
    if source.startswith("data:"):
        data = base64.b64decode(source.partition(",")[2])
    else:
        reply = page.request.get(source)
        assert reply.ok, source
        data = reply.body()
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def after(page, place, action):
    """The picture there once it has changed by this."""
    before = page.locator(f"{place} img").first.get_attribute("src")
    action()
    until(
        page,
        "([at, old]) => { const i = document.querySelector(at + ' img'); return i && i.src != old }",
        [place, before],
    )
    return picture(page, place)


def choose_head(page, number=0):
    page.locator("#examples button").nth(number).click()
    page.wait_for_selector("#photograph img")


def open_edit(page, head=0):
    page.get_by_role("tab", name="Edit").click()
    choose_head(page, head)
    page.wait_for_selector("#edited img")


def set_slider(page, name, value):
    page.locator(f"#slider-{name} input[type=number]").fill(str(value))
    page.locator(f"#slider-{name} input[type=number]").press("Enter")


def sliders(page):
    return [float(page.locator(f"#slider-{c.name} input[type=number]").input_value()) for c in CONTROLS]


def tells(page, sentence):
    page.locator(".toast-body", has_text=sentence).first.wait_for()


def download(page, button):
    with page.expect_download() as started:
        page.locator(button).click()
    return Path(started.value.path()), started.value.suggested_filename


def marked(path, name):
    """Whether a download says of itself that a machine made it."""
    manifest = verify(path.rename(path.with_name(name))).manifest
    path.with_name(name).rename(path)
    return manifest is not None


def test_every_slider_changes_the_face(server, visit):
    page = visit(server.address)
    open_edit(page)
    own = sliders(page)
    for control in CONTROLS:
        before = picture(page, "#edited")
        shown = after(page, "#edited", lambda c=control: set_slider(page, c.name, c.high))
        assert shown.shape == (64, 64, 3)
        assert shown.std() > 5
        assert (shown != before).any(), control.name
    after(page, "#edited", page.locator("#reset").click)
    until(page, "v => document.querySelector('#slider-yaw input[type=number]').value == v", str(int(own[-2])))
    assert sliders(page) == own


def test_random_background_paste_and_download(server, visit, smile):
    page = visit(server.address)
    open_edit(page, 1)
    own, first = sliders(page), picture(page, "#edited")
    random = after(page, "#edited", page.locator("#random").click)
    assert sliders(page) != own
    assert (random != first).any()
    after(page, "#edited", page.locator("#reset").click)
    colored = after(page, "#edited", page.get_by_label("A color").check)
    assert (colored != first).any()
    page.get_by_label("A picture").check()
    page.wait_for_selector("#background-picture input[type=file]", state="attached")
    behind = after(
        page, "#edited", lambda: page.set_input_files("#background-picture input[type=file]", smile)
    )
    assert (behind != colored).any()
    after(page, "#edited", page.get_by_label("Its own").check)
    page.locator("#edit-paste-back input").check()
    until(page, "() => document.querySelector('#edited img').naturalWidth == 256")
    pasted = picture(page, "#edited")
    path, name = download(page, "#download-edited")
    assert name == "facegan.png"
    assert np.array_equal(np.asarray(Image.open(path).convert("RGB")), pasted)
    assert marked(path, name)


def test_a_color_is_chosen(server, visit):
    page = visit(server.address)
    open_edit(page)
    blue = after(page, "#edited", page.get_by_label("A color").check)
    page.wait_for_selector("#color button, #color input")
    page.locator("#color button").first.click()
    text = page.locator("#color input[type=text]").first
    green = after(page, "#edited", lambda: (text.fill("#00ff00"), text.press("Enter")))
    assert (green != blue).any()


def test_a_photograph_moves_as_a_video(server, visit):
    page = visit(server.address)
    choose_head(page)
    page.locator("#example-driver").click()
    page.wait_for_selector("#driving-video video")
    page.locator("#move").click()
    page.wait_for_selector("#screen img")
    assert picture(page, "#screen").std() > 5
    page.wait_for_selector("#player video")
    assert "36 frames at 12 fps" in page.locator("#said").inner_text()
    path, name = download(page, "#download-moved")
    assert name == "facegan.mp4"
    assert marked(path, name)
    with av.open(str(path)) as film:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in film.decode(video=0)]
    assert len(frames) == 36
    assert max(np.abs(frames[0] - frame).max() for frame in frames) > 5


def test_the_options_of_moving(server, visit, smile):
    page = visit(server.address)
    choose_head(page)
    page.locator("#driver-kind").get_by_label("Picture").check()
    page.set_input_files("#driving-picture input[type=file]", smile)
    page.wait_for_selector("#driving-picture img")

    def move():
        page.locator("#move").click()
        until(page, "() => document.querySelector('#said').innerText.includes('Looking')")
        until(page, "() => document.querySelector('#said').innerText.includes('took')")
        return picture(page, "#screen")

    seen = [move()]
    for option in (
        page.locator("#relative input"),
        page.locator("#smooth input"),
        page.get_by_label("Expression only"),
        page.get_by_label("Pose only"),
    ):
        option.check()
        seen.append(move())
    page.get_by_label("All", exact=True).check()
    page.locator("#strength input[type=number]").fill("0")
    page.locator("#strength input[type=number]").press("Enter")
    seen.append(move())
    # A picture has no time to be smoothed over, and without its expression only its pose is left.
    assert len({image.tobytes() for image in seen}) == 4
    page.locator("#side-by-side input").check()
    assert move().shape[1] > 2 * 64
    page.locator("#side-by-side input").uncheck()
    page.locator("#paste-back input").check()
    assert move().shape == (256, 256, 3)
    page.get_by_label("A color").check()
    page.locator("#move").click()
    tells(page, "choose one of the two")


def test_stop(server, visit):
    page = visit(server.address)
    choose_head(page)
    page.locator("#example-driver").click()
    page.wait_for_selector("#driving-video video")
    page.locator("#move").click()
    page.wait_for_selector("#screen img")
    page.locator("#stop").click()
    until(page, "() => /Stopped|frames/.test(document.querySelector('#said').innerText)")


def test_the_camera_takes_photograph_and_driver(server, visit):
    page = visit(server.address)
    page.locator("#photograph").get_by_label("Capture from camera").click()
    page.locator("#photograph [title='grant webcam access'] button").click()
    page.locator("#photograph").get_by_label("capture photo").click()
    page.wait_for_selector("#photograph img:not(.hide)")
    page.locator("#driving-video").get_by_label("Capture from camera").click()
    page.locator("#driving-video [title='grant webcam access'] button").click()
    record = page.locator("#driving-video").get_by_label("start recording")
    record.click()
    page.wait_for_timeout(1500)  # the length of the recording
    page.locator("#driving-video").get_by_label("start recording").click()
    page.wait_for_selector("#driving-video .video-container video, #driving-video video[src]")
    page.locator("#move").click()
    page.wait_for_selector("#player video")
    assert "frames" in page.locator("#said").inner_text()


def test_live(server, visit):
    page = visit(server.address)
    choose_head(page)
    page.get_by_role("tab", name="Live").click()
    page.locator("#camera [title='grant webcam access'] button").click()
    page.locator("#camera").get_by_role("button", name="capture photo").click()
    page.wait_for_selector("#live-screen img")
    shots = [after(page, "#live-screen", lambda: None) for _ in range(12)]
    assert all(shot.shape == (64, 64, 3) for shot in shots)
    assert len({shot.tobytes() for shot in shots}) > 4
    text = page.locator("#live-said").inner_text()
    rate, latency = map(float, re.search(r"([\d.]+) frames a second · (\d+) ms for each", text).groups())
    assert rate > 0
    assert latency > 0
    page.locator("#live-relative input").uncheck()
    page.locator("#live-smooth input").uncheck()
    after(page, "#live-screen", lambda: None)
    page.locator("#camera").get_by_role("button", name="capture photo").click()


def test_live_without_a_photograph_says_so(server, visit):
    page = visit(server.address)
    page.get_by_role("tab", name="Live").click()
    page.locator("#camera [title='grant webcam access'] button").click()
    page.locator("#camera").get_by_role("button", name="capture photo").click()
    until(
        page, "() => document.querySelector('#live-said').innerText.includes('choose the photograph first')"
    )


def test_by_keyboard_alone(server, visit):
    page = visit(server.address)
    focus = "() => document.activeElement.closest('#examples button') !== null"

    def tab_to(condition):
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate(condition):
                return
        pytest.fail(f"not reached: {condition}")

    tab_to(focus)
    page.keyboard.press("Enter")
    page.wait_for_selector("#photograph img")
    tab_to("() => document.activeElement.getAttribute('role') === 'tab'")
    if not page.evaluate("() => document.activeElement.innerText === 'Edit'"):
        tab_to("() => document.activeElement.innerText === 'Edit'")
    page.keyboard.press("Enter")
    page.wait_for_selector("#edited img")
    tab_to("() => document.activeElement.closest('#slider-AU12') && document.activeElement.type === 'range'")
    shown = after(page, "#edited", lambda: [page.keyboard.press("ArrowRight") for _ in range(5)])
    assert shown.std() > 5
    assert sliders(page)[[c.name for c in CONTROLS].index("AU12")] > 0


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_looks(server, visit, width, scheme):
    page = visit(server.address, viewport={"width": width, "height": 844}, color_scheme=scheme)
    for tab in ("Move", "Edit", "Live"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_selector({"Move": "#move", "Edit": "#edited", "Live": "#camera"}[tab])
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    level = page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    )
    assert (max(level) < 80) == (scheme == "dark")


def test_a_bad_photograph_is_a_sentence(server, visit, tmp_path):
    page = visit(server.address)
    page.get_by_role("tab", name="Edit").click()
    bad = tmp_path / "holiday.png"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(300))
    with page.expect_response(re.compile("upload")):
        page.set_input_files("#photograph input[type=file]", bad)
    tells(page, "Cannot read the photograph as a picture")
    Image.new("RGB", (200, 200), "green").save(bad)
    page.locator("#photograph").get_by_label("Remove Image").click()
    page.set_input_files("#photograph input[type=file]", bad)
    tells(page, "No face in the photograph")


def test_two_users_see_each_their_own(server, visit, face):
    pages = [visit(server.address), visit(server.address)]
    for page in pages:
        page.get_by_role("tab", name="Edit").click()
    pages[0].set_input_files("#photograph input[type=file]", face)
    choose_head(pages[1], 4)
    for page in pages:
        page.wait_for_selector("#edited img")
    mine, yours = (picture(page, "#edited") for page in pages)
    assert np.abs(mine - yours).mean() > 3
    again = after(pages[0], "#edited", pages[0].locator("#reset").click)
    assert (again == mine).all()


def test_what_a_visit_leaves_is_removed(server, visit, chromium, face, tmp_path):
    # A photograph that no other visit has brought: the same one would lie at the same place.
    own = tmp_path / "mirrored.png"
    ImageOps.mirror(Image.open(face)).save(own)
    before = server.files
    context = chromium.new_context()
    page = context.new_page()
    page.goto(server.address)
    page.wait_for_selector("#photograph")
    page.get_by_role("tab", name="Edit").click()
    page.set_input_files("#photograph input[type=file]", own)
    page.wait_for_selector("#edited img")
    made = server.files - before
    assert len(made) >= 2
    context.close()
    for _ in range(200):
        if not server.files & made:
            return
        page = visit(server.address)  # what takes time, but no clock
        page.close()
    pytest.fail(f"left: {server.files & made}")


def test_the_password(model, visit, tmp_path):
    with serving(model, tmp_path, FACEGAN_PASSWORD="open sesame") as server:
        page = visit(server.address, wait="input[type=password]")
        assert page.locator("#photograph").count() == 0
        for path in ("config", "gradio_api/queue/data", "gradio_api/file=/files/a/b.png"):
            assert page.request.get(server.address + path).status == 401
        files = {"files": {"name": "a.png", "mimeType": "image/png", "buffer": b"x"}}
        assert page.request.post(f"{server.address}gradio_api/upload", multipart=files).status == 401
        wrong = {"username": "me", "password": "open"}
        assert page.request.post(f"{server.address}login", form=wrong).status == 400
        page.locator("input[type=password]").fill("open sesame")
        page.locator("input:not([type=password])").first.fill("me")
        page.get_by_role("button", name="Login").click()
        page.wait_for_selector("#photograph")
        page.context.close()
