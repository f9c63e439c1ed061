"""Tests of the gallery in a browser, by mouse and by keyboard."""

import functools
import json

import numpy as np
import pytest

from tests.support.browser import CHROMIUM
from turntable.datasets import ObjectRecord, load_recipe, open_dataset
from turntable.datasets.query import select_matching_views
from turntable.service import make_access, write_access
from turntable.testing.datasets import write_synthetic_dataset

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")


def test_from_the_cards_to_a_view_and_its_label(page, running, served_folder):
    page.goto(f"{running.url}/")
    page.get_by_role("link", name="small").click()
    page.get_by_role("heading", name="small", level=1).wait_for()
    page.get_by_text("96 views of 24 objects").wait_for()
    page.locator(".views a").nth(2).click()
    page.get_by_role("heading", name="view 2").wait_for()
    label = running.json(f"/datasets/small/objects/{page.url.split('/')[-2]}/views/2.json")
    cells = page.locator("table tr").nth(1).inner_text()
    assert "rotation_x_rad" in cells
    assert f"{np.degrees(label['factors']['rotation_x_rad']):.1f}".rstrip("0").rstrip(".") in cells
    drawn = page.locator("g[data-part=x] line")
    assert float(drawn.get_attribute("x2")) == pytest.approx(label["overlay"]["x"][1][0])
    image = page.locator(".stage img")
    assert image.evaluate("image => image.naturalWidth") == 32
    page.get_by_role("link", name="Next").click()
    page.get_by_role("heading", name="view 3").wait_for()


@pytest.mark.slow
def test_hostile_names_are_text_on_every_page(page, start, tmp_path):
    """Names of categories, objects, licenses, conventions and data sets are text, never HTML."""
    names = [
        "<img src=x onerror=alert(1)>",
        "<script>alert(2)</script>",
        "javascript:alert(3)",
        "'\"><svg onload=alert(4)>",
        "' or 1=1 --",
    ]
    recipe = load_recipe("3diebench").replace(
        name="names", description=names[0], source="folder", views=2, image_size_px=16, splits=["train"]
    )
    records = [
        ObjectRecord(f"{name.replace('/', '-')}/{at}", name, "train", "folder", "", licence=name)
        for at, name in enumerate(names)
    ]
    write_synthetic_dataset(tmp_path / "sets" / "<img src=x onerror=alert(5)>", recipe, records)
    (tmp_path / "sets" / "<script>alert(6)").mkdir()
    (tmp_path / "sets" / "<script>alert(6)" / "manifest.json").write_text("<script>alert(7)</script>")
    manifest = next((tmp_path / "sets").glob("<img*")) / "manifest.json"
    table = json.loads(manifest.read_text())
    for place in ("source", "conventions", "device"):
        table[place] |= {name: name for name in names}
    manifest.write_text(json.dumps(table))
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    service = start(tmp_path / "sets")
    page.goto(f"{service.url}/")
    page.get_by_text("not a manifest").wait_for()
    page.get_by_role("link", name=names[0].replace("1", "5")).click()
    page.locator(".views li").first.wait_for()
    for name in names:
        assert page.get_by_role("button", name=f"{name} 1").count() == 1
        page.get_by_role("button", name=f"{name} 1").click()
    page.get_by_text("10 views of 5 objects").wait_for()
    page.locator(".views a").first.click()
    page.get_by_role("link", name="All views").click()
    page.get_by_text("nearest stored view").wait_for()
    page.goto(f"{page.url.partition('/o/')[0]}/pair")
    page.get_by_text("relative_quaternion").wait_for()
    assert not dialogs
    assert page.locator("img[src=x], svg[onload], main script").count() == 0


@pytest.mark.slow
def test_categories_and_sliders_filter_views_and_make_a_subset(page, running, served_folder):
    dataset = open_dataset(served_folder)
    page.goto(f"{running.url}/gallery/#/d/small")
    first = dataset.categories[0]
    page.get_by_role("button", name=first).click()
    minimum = page.get_by_label("Minimum floor_hue")
    minimum.fill("200")
    where = page.get_by_label("Condition").input_value()
    assert where.startswith(f"category in ('{first}') and floor_hue between 0.5")
    expected = sum(len(select_matching_views(dataset, split, where)) for split in dataset.splits)
    page.get_by_text(f"{expected} views of").wait_for()
    assert page.locator(".views li").count() == min(expected, 60)
    page.get_by_role("button", name="Stream this subset").click()
    page.get_by_text("streams").wait_for()
    manifest = running.json(
        page.get_by_role("link", name="Manifest of the subset")
        .get_attribute("href")
        .removeprefix(running.url)
    )
    assert manifest["subset"]["images"] == expected
    page.get_by_label("Condition").fill("floor_hue <")
    page.locator("p.error[role=status]").wait_for()


def test_a_turntable_rotates_by_mouse_and_keyboard_to_the_nearest_stored_view(page, running, served_folder):
    with open_dataset(served_folder).open_split("train") as train:
        key = train.keys[0]
    page.goto(f"{running.url}/gallery/#/d/small/o/{key}")
    frame = page.get_by_role("application", name="Turntable")
    frame.wait_for()
    page.get_by_text("View 0 is the nearest stored view, 0° from").wait_for()
    seen = set()
    frame.focus()
    for _ in range(72):
        page.keyboard.press("ArrowRight")
        seen.add(page.locator(".stage img").get_attribute("src"))
    assert len(seen) > 1
    page.keyboard.press("Home")
    page.get_by_text("View 0 is the nearest stored view, 0° from").wait_for()
    box = frame.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 160, steps=4)
    page.mouse.up()
    assert "view, 0° from" not in page.locator("p[role=status]").inner_text()


@pytest.mark.slow
def test_a_turntable_shows_rendered_views_if_the_service_renders(page, start, zoo):
    service = start(zoo, options=["--render", "--backend", "embree"])
    with open_dataset(zoo).open_split("train") as train:
        key = train.keys[0]
    page.goto(f"{service.url}/gallery/#/d/zoo/o/{key}")
    frame = page.get_by_role("application", name="Turntable")
    frame.focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_text("Rendered view of this rotation:").wait_for()
    assert page.locator(".turns img").evaluate("image => image.naturalWidth") == 256
    before = page.get_by_text("Rendered view of this rotation:").inner_text()
    box = frame.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 100, steps=3)
    page.mouse.up()
    page.wait_for_function(
        "before => document.querySelector('p[role=status]').innerText !== before", arg=before
    )
    assert service.process.poll() is None


def test_the_pair_is_the_one_that_a_loader_yields(page, running, served_folder):
    pytest.importorskip("torch")
    from turntable.loaders import BatchConfig, Loader

    batch = next(
        iter(Loader(served_folder, BatchConfig(split="train", batch_size=4, seed=3, output="numpy")))
    )
    page.goto(f"{running.url}/gallery/#/d/small/pair")
    page.get_by_label("seed").fill("3")
    page.get_by_label("index").fill("2")
    views = [int(batch[f"view_index_{side}"][2]) for side in (1, 2)]
    page.get_by_role("link", name=f"view_1: view {views[0]}").wait_for()
    page.get_by_role("link", name=f"view_2: view {views[1]}").wait_for()
    text = page.get_by_role("row", name="relative_quaternion").locator("td").inner_text()
    assert np.allclose([float(part) for part in text.split(",")], batch["relative_quaternion"][2], atol=1e-3)


def test_the_pair_requested_last_is_shown_whichever_response_comes_last(page, running):
    late = []

    def hold_back(route):
        if "seed=3&epoch=0&index=0" in route.request.url:
            late.append(route)
        else:
            route.continue_()

    page.route("**/pair?*", hold_back)
    page.goto(f"{running.url}/gallery/#/d/small/pair")
    page.get_by_label("seed").fill("3")
    with page.expect_response("**/pair?*index=2"):
        page.get_by_label("index").fill("2")
    pair = running.json("/datasets/small/pair?split=train&seed=3&epoch=0&index=2")
    page.get_by_role("link", name=f"{pair['category']}: {pair['id']}").wait_for()
    with page.expect_response("**/pair?*index=0"):
        late[0].continue_()
    page.wait_for_timeout(200)
    assert page.get_by_role("link", name=f"{pair['category']}: {pair['id']}").count() == 1


def test_a_wrong_address_shows_a_page_that_says_so(page, running):
    page.goto(f"{running.url}/gallery/#/d/%E0%A4")
    page.get_by_role("heading", name="There is no such page").wait_for()


@pytest.mark.slow
def test_signing_in(page, start, served_folder, tmp_path):
    access, _, text = make_access().with_new_token("visitor", ["read"])
    write_access(tmp_path / "access.json", access)
    service = start(served_folder, options=["--access", str(tmp_path / "access.json")])
    page.goto(f"{service.url}/gallery/#/d/small")
    field = page.get_by_label("Token")
    field.fill("wrong")
    page.get_by_role("dialog").get_by_role("button", name="Sign in").click()
    page.get_by_text("unknown, expired or revoked").wait_for()
    field.fill(text)
    page.get_by_role("dialog").get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="small", level=1).wait_for()
    image = page.locator(".views img").first
    image.wait_for()
    page.wait_for_function("() => document.querySelector('.views img').naturalWidth == 32")
    page.get_by_text("visitor · read · all data sets · until it is revoked").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in to see this page").wait_for()
    page.keyboard.press("Escape")
    page.get_by_text("Not signed in · a token is needed").wait_for()


@pytest.mark.slow
def test_the_page_tells_what_is_public_and_which_token_is_refused(page, start, sets, tmp_path):
    access, token, text = make_access().with_new_token("visitor", ["read"], ["open"], days=2)
    write_access(tmp_path / "access.json", access)
    service = start(sets, options=["--access", str(tmp_path / "access.json"), "--public", "open"])
    page.goto(f"{service.url}/")
    page.get_by_text("Not signed in · 1 public data set").wait_for()
    assert page.locator(".card h2").all_inner_texts() == ["open"]
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Token").fill(text)
    page.keyboard.press("Enter")
    page.get_by_text("visitor · read · open · until").wait_for()
    page.goto(f"{service.url}/gallery/#/d/secret")
    page.get_by_text("does not have the scope read").wait_for()
    page.get_by_role("button", name="Sign in with another token").wait_for()
    write_access(tmp_path / "access.json", access.with_revoked(token.id))
    page.goto(f"{service.url}/gallery/#/")
    page.reload()
    page.get_by_text("Token refused: the token is unknown, expired or revoked").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("Not signed in · 1 public data set").wait_for()
    assert page.locator(".card h2").all_inner_texts() == ["open"]


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_the_filter_and_the_views_are_seen_first(browser, running, width, height):
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.goto(f"{running.url}/gallery/#/d/small")
    page.locator(".views img").first.wait_for()

    def bottom(locator):
        box = locator.bounding_box()
        return box["y"] + box["height"]

    seen = [page.get_by_label("Condition"), page.get_by_label("Split"), page.get_by_text("96 views of 24")]
    seen += [page.get_by_text("Categories (3)"), page.locator(".views img").first]
    seen += [page.get_by_text("Factors", exact=True)]
    assert all(bottom(locator) <= height for locator in seen)
    shown = page.get_by_label("Minimum floor_hue").is_visible()
    assert shown == (width > 1000)  # on a phone the lists begin closed
    if not shown:
        page.get_by_text("Factors", exact=True).click()
        page.get_by_label("Minimum floor_hue").wait_for()
    context.close()


def test_a_fingerprint_is_short_in_one_line_and_can_be_copied(browser, running):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=running.url)
    page = context.new_page()
    page.goto(f"{running.url}/gallery/#/d/small")
    row = page.locator(".facts div", has_text="Fingerprint")
    row.wait_for()
    whole = running.json("/datasets/small/about")["fingerprint"]
    assert row.locator("code").inner_text() == f"{whole[:12]}…"
    assert row.locator("code").evaluate("code => code.getClientRects().length") == 1
    row.get_by_role("button", name="Copy Fingerprint").click()
    row.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == whole
    page.get_by_role("button", name="Copy the line for a loader").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()).startsWith('Loader')")
    assert page.evaluate("navigator.clipboard.readText()") == f'Loader("{running.url}/datasets/small")'
    context.close()


def test_an_empty_result_tells_what_there_is_and_can_be_cleared(page, running):
    page.goto(f"{running.url}/gallery/#/d/small")
    page.get_by_text("96 views of 24 objects").wait_for()
    page.get_by_label("Minimum floor_hue").fill("200")
    page.get_by_label("Condition").fill("floor_hue > 3")
    page.get_by_text("No view of train or val matches it; the values are floor_hue from").wait_for()
    assert page.locator(".views li").count() == 0
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("96 views of 24 objects").wait_for()
    assert page.get_by_label("Condition").input_value() == ""
    assert page.get_by_label("Minimum floor_hue").input_value() == "0"


def test_every_control_has_a_name_and_shows_its_focus(page, running):
    page.goto(f"{running.url}/gallery/#/d/small")
    page.get_by_label("Minimum floor_hue").wait_for()
    nameless = page.evaluate(
        "() => [...document.querySelectorAll('input, select, button, summary, a')].filter(one => "
        "!(one.labels?.length || one.getAttribute('aria-label') || one.textContent.trim() || "
        "one.querySelector('img[alt]:not([alt=\"\"])'))).map(one => one.outerHTML)"
    )
    assert nameless == []
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


@pytest.mark.parametrize("width", [320, 1100])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_its_window_and_text_can_be_read(
    browser, running, served_folder, width, scheme
):
    with open_dataset(served_folder).open_split("train") as train:
        key = train.keys[0]
    context = browser.new_context(viewport={"width": width, "height": 700}, color_scheme=scheme)
    page = context.new_page()
    for address in ("", "d/small", f"d/small/o/{key}", f"d/small/o/{key}/1", "d/small/pair"):
        page.goto(f"{running.url}/gallery/#/{address}")
        page.wait_for_selector("main h1")
        page.wait_for_function("() => !document.querySelector('main').hasAttribute('aria-busy')")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        colors = page.evaluate(
            "() => [getComputedStyle(document.body).color, "
            "getComputedStyle(document.documentElement).backgroundColor]"
        )
        assert contrast(*map(rgb, colors)) > 7
        assert page.evaluate("() => [...document.images].every(image => image.hasAttribute('alt'))")
    context.close()


def rgb(text):
    return [int(part) for part in text[text.index("(") + 1 : -1].split(",")[:3]]


def contrast(first, second):
    """Return the contrast ratio as WCAG 2.1 defines it."""

    def luminance(color):
        parts = [part / 255 for part in color]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return functools.reduce(
            lambda sum_, pair: sum_ + pair[0] * pair[1], zip(linear, (0.2126, 0.7152, 0.0722), strict=True), 0
        )

    bright, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_the_name_of_a_missing_data_set_is_text(page, running):
    page.goto(f"{running.url}/gallery/#/d/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    page.get_by_text("there is no data set").wait_for()
    assert page.locator("main img").count() == 0
