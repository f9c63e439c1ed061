"""The gallery shows outputs, parts and joints, and plays sequences: by mouse, by keys, with less motion."""

import re

import pytest

from tests.support.browser import CHROMIUM
from tests.support.moving_boxes import LENGTH, write_moving_boxes
from turntable.datasets import open_dataset
from turntable.testing.datasets import make_synthetic_dataset

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed"),
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def served_folder(tmp_path_factory):
    """A folder of two sets: one of assemblies that move, and one of pictures alone."""
    folder = tmp_path_factory.mktemp("sets")
    write_moving_boxes(folder / "moving")
    make_synthetic_dataset(folder / "small", num_objects=2, num_categories=1, num_views=2, image_size=32)
    return folder


@pytest.fixture(scope="module")
def key(served_folder):
    """The object with the most parts."""
    with open_dataset(served_folder / "moving").open_split("train") as split:
        return max(split.objects, key=lambda record: len(record.parts)).key


@pytest.fixture(scope="module")
def address(running, key):
    """The page of this object."""
    return f"{running.url}/gallery/#/d/moving/o/{key}"


def seen_view(page):
    """Return the number of the view and the output that the player shows."""
    source = page.locator(".player .stage img").get_attribute("src")
    view, output = re.search(r"views/(\d+)(?:\.jpg|/(\w+)\.png)$", source).groups()
    return int(view), output or "rgb"


def wait_for_view(page, view):
    page.wait_for_function(
        "view => new RegExp(`views/${view}(/|[.]jpg)`)"
        ".test(document.querySelector('.player .stage img')?.src)",
        arg=view,
    )


def test_a_view_is_shown_as_each_output_with_its_parts_and_joints(page, running, address, key):
    page.goto(f"{address}/2")
    page.get_by_role("group", name="What is shown").wait_for()
    label = running.json(f"/datasets/moving/objects/{key}/views/2.json")
    for joint in page.locator("[data-joint]").all():
        index = [part["name"] for part in label["parts"]].index(joint.get_attribute("data-joint"))
        line = joint.locator("line").last
        assert float(line.get_attribute("x1")) == pytest.approx(label["part_overlay"][index]["joint"][0][0])
    assert page.locator("[data-joint]").count() == 2
    assert page.locator("[data-group=axes] line").count() == 12
    page.get_by_label("Joints").uncheck()
    assert not page.locator("[data-group=joints]").is_visible()
    cells = page.get_by_role("row", name=re.compile("^lid")).inner_text()
    assert f"hinge {label['joint_values'][0] * 57.29578:.1f}".rstrip("0").rstrip(".") in cells
    for name in ("Mask", "Depth", "Normals", "Coordinates", "Flow", "Parts"):
        page.get_by_role("button", name=name).click()
        page.wait_for_function(
            "name => { const image = document.querySelector('.stage img');"
            " return image.src.endsWith(`/2/${name}.png`) && image.complete && image.naturalWidth === 48; }",
            arg=name.lower(),
        )
        assert page.locator("[aria-pressed=true]").inner_text() == name
    legend = page.get_by_role("list", name="Parts")
    assert legend.inner_text().split() == ["base", "(case)", "lid", "drawer", "knob"]
    page.get_by_role("link", name="Next").click()
    page.get_by_role("heading", name="view 3").wait_for()
    assert page.locator(".stage img").get_attribute("src").endswith("/3/parts.png")  # the choice stays


def test_a_sequence_is_played_by_buttons_and_keys(page, running, address, key):
    page.goto(address)
    wait_for_view(page, 0)
    values = running.json(f"/datasets/moving/objects/{key}")["joint_values"]
    stage = page.get_by_role("application", name="Sequence")
    stage.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    wait_for_view(page, 2)
    assert float(page.locator("meter").first.evaluate("meter => meter.value")) == pytest.approx(values[2][0])
    page.keyboard.press("End")
    wait_for_view(page, LENGTH - 1)
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == f"View 5, 6 of {LENGTH}"
    page.get_by_label("Speed").select_option("16")
    page.keyboard.press("Home")
    page.get_by_role("button", name="Flow").click()
    page.get_by_role("button", name="Play").click()
    for view in (LENGTH - 1, 1):  # it begins again
        wait_for_view(page, view)
    assert seen_view(page)[1] == "flow"
    page.get_by_role("button", name="Pause").click()
    page.get_by_label("Sequence", exact=True).select_option("1")
    wait_for_view(page, LENGTH)
    page.get_by_role("slider").fill("3")
    wait_for_view(page, LENGTH + 3)
    page.get_by_role("link", name=f"View {LENGTH + 3}, 4 of {LENGTH}").click()
    page.get_by_role("heading", name=f"view {LENGTH + 3}").wait_for()


def test_less_motion_is_played_once(browser, address):
    context = browser.new_context(reduced_motion="reduce", viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(address)
    wait_for_view(page, 0)
    assert page.get_by_label("Speed").input_value() == "1"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_label("Speed").select_option("16")
    page.get_by_role("button", name="Play").click()
    wait_for_view(page, LENGTH - 1)
    page.get_by_role("button", name="Play").wait_for()  # it has stopped at the last view
    assert seen_view(page) == (LENGTH - 1, "rgb")
    context.close()


def test_a_set_of_pictures_alone_has_neither_player_nor_buttons(page, running):
    key = running.json("/datasets/small/objects")["objects"][0]["key"]
    page.goto(f"{running.url}/gallery/#/d/small/o/{key}")
    page.get_by_role("application", name="Turntable").wait_for()
    assert page.locator(".player").count() == 0
    page.goto(f"{running.url}/gallery/#/d/small/o/{key}/1")
    page.locator("g[data-part=x] line").wait_for()
    assert page.locator(".chips, .spaced, [data-group=axes]").count() == 0
