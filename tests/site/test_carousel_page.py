"""The carousel in a real browser, from file://: what a person does, and what it then shows."""

import re

import pytest

from lstm_recipes.lab.find_units import find_units

from .conftest import ROOT

CAROUSEL = ROOT / "docs" / "carousel"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="{base}/carousel.css"><script src="{base}/carousel.js"></script></head>
<body><div style="height: {above}px"></div><div class="carousel"></div></body></html>"""
READ = """() => {
  const { carousel } = document.querySelector(".carousel");
  return carousel && carousel.reading.done && carousel.frames.point === null;
}"""
WAIT = 120_000  # milliseconds; a loaded machine takes its time


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a page with a carousel below so many pixels; nothing may fail or leave the disk."""
    contexts, requests, errors = [], [], []

    def open_page(above=0, **options):
        contexts.append(
            browser.new_context(**{"viewport": {"width": 1000, "height": 900}} | options)
        )
        page = contexts[-1].new_page()
        page.set_default_timeout(WAIT)
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.requested = requests
        (tmp_path / "page.html").write_text(PAGE.format(base=CAROUSEL.as_uri(), above=above))
        page.goto((tmp_path / "page.html").as_uri())
        if not above:
            page.wait_for_selector(".carousel[data-state=ready]")
            settled(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors
    assert all(url.startswith("file:") for url in requests)


def settled(page):
    """Wait until the text is read and what it did is shown."""
    page.wait_for_function(READ)


def text(page):
    return page.get_by_label("Text that the network reads", exact=False)


def unit(page):
    return int(page.locator(".carousel output").first.inner_text())


def character(page, place):
    """The middle of a character on the screen."""
    box = page.locator(".carousel-behind > span").nth(place).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def color(page, name):
    """A colour of the style sheet."""
    hexed = page.eval_on_selector(
        ".carousel",
        "(root, name) => getComputedStyle(root).getPropertyValue(name).trim()",
        f"--carousel-{name}",
    )
    return [int(hexed[k : k + 2], 16) for k in (1, 3, 5)]


def test_what_is_typed_is_coloured_by_the_cell(opened):
    page = opened()
    page.get_by_role("button", name="Clear").click()
    page.keyboard.type("BAPTISTA:\nGood é☃🚢")
    settled(page)
    shown = page.eval_on_selector_all(
        ".carousel-behind > span",
        "all => all.map(s => [s.textContent, getComputedStyle(s).backgroundColor])",
    )
    assert "".join(one for one, _ in shown) == "BAPTISTA:\nGood é☃🚢"
    shades = page.evaluate(
        "() => (c => c.characters.map((_, t) => c.reading.shade('c', t, c.unit[c.name])))"
        "(document.querySelector('.carousel').carousel)"
    )
    assert max(map(abs, shades)) > 0.2
    zero, above, below = (color(page, name) for name in ("zero", "above", "below"))
    for (_, found), shade in zip(shown, shades, strict=True):
        end = above if shade > 0 else below
        wanted = [z + (e - z) * abs(shade) for z, e in zip(zero, end, strict=True)]
        assert [int(n) for n in re.findall(r"\d+", found)] == pytest.approx(wanted, abs=1)
    assert "never seen in training: é ☃ 🚢" in page.locator(".carousel-legend").inner_text()
    assert shades[-1] == shades[-4]  # they changed nothing


def test_a_dragged_selection_lists_the_units_that_are_on_there(opened):
    page = opened()
    assert page.get_by_text("Select a span of the text").is_visible()
    first = text(page).input_value().index("PETRUCHIO")
    (x, y), (until, _) = character(page, first), character(page, first + 8)
    page.mouse.move(x - 3, y)
    page.mouse.down()
    page.mouse.move(until + 3, y, steps=4)
    page.mouse.up()
    settled(page)
    assert page.locator(".in-span").count() == 9
    c = page.evaluate(
        "() => (r => r.steps.map(s => [...s.gates[0].c]))"
        "(document.querySelector('.carousel').carousel.reading)"
    )
    best, *others = find_units(c, (first, first + 9), count=6)
    chips = page.get_by_role("status").get_by_role("button")
    numbers = [int(re.search(r"unit (\d+)", one).group(1)) for one in chips.all_inner_texts()]
    assert numbers == [best.unit, *(one.unit for one in others)]
    chips.nth(1).click()
    assert unit(page) == others[0].unit
    assert chips.nth(1).get_attribute("aria-pressed") == "true"


def test_the_two_models_by_keyboard(opened):
    page = opened()
    readout = page.locator(".carousel-readout")
    assert re.search(r"f 0\.\d\d|f 1\.00", readout.inner_text())
    page.get_by_role("radio", name="2000 forget gate").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(".carousel[data-model=cec]")
    settled(page)
    assert "f 1, always" in readout.inner_text()
    assert "No forget gate" in page.locator(".carousel-about").inner_text()
    kept = page.evaluate(
        "() => (r => r.steps.slice(1).every((s, t) => s.gates[0].c.every((c, u) =>"
        " Math.abs(c - r.steps[t].gates[0].c[u] - s.gates[0].i[u] * s.gates[0].g[u]) < 1e-9)))"
        "(document.querySelector('.carousel').carousel.reading)"
    )
    assert kept  # c changes by what is let in, and by nothing else


def test_a_unit_is_picked_by_slider_key_and_click(opened):
    page = opened()
    slider = page.get_by_label("Unit", exact=True)
    box = slider.bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    dragged = unit(page)
    assert dragged > 150
    page.keyboard.press("ArrowLeft")
    assert unit(page) == dragged - 1
    picture = page.locator(".carousel-pair canvas")
    height = picture.bounding_box()["height"]
    picture.click(position={"x": 5, "y": height * 0.25 + 0.5})
    settled(page)
    assert abs(unit(page) - 50) <= 1  # a row is 1.2 pixels high
    assert f"unit {unit(page)} is marked" in picture.get_attribute("aria-label")
    named = page.locator(".carousel-named").first.get_by_role("button").first
    named.click()
    assert named.inner_text().endswith(f"c{unit(page)}")


def test_hovering_shows_what_may_come_next_at_a_temperature(opened):
    page = opened()
    place = text(page).input_value().index("Baptista") + 3
    page.mouse.move(*character(page, place))
    settled(page)
    assert page.locator(".is-now").inner_text() == "t"
    assert "Bapt”" in page.locator("h3", has_text="Next after").inner_text()
    assert page.locator(".came code").inner_text() == "i"
    bars = page.locator(".carousel-bars li")
    warm = bars.first.inner_text()
    page.get_by_label("Temperature").focus()
    page.keyboard.press("Home")
    page.mouse.move(*character(page, place))
    settled(page)
    assert "100 %" in bars.first.inner_text() and "100 %" not in warm
    text(page).focus()
    page.keyboard.press("Control+Home")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    settled(page)
    assert page.locator(".carousel-readout").inner_text().startswith("Character 3, “E”")
    page.get_by_label("Gates and cell over time", exact=False).focus()
    page.keyboard.press("ArrowRight")
    settled(page)
    assert page.locator(".carousel-readout").inner_text().startswith("Character 4, “M”")


def test_it_writes_on_until_it_is_stopped(opened):
    page = opened()
    before = text(page).input_value()
    page.get_by_label("Temperature").fill("0")
    page.get_by_role("button", name="Write on").click()
    page.wait_for_function(
        "n => document.querySelector('.carousel textarea').value.length > n", arg=len(before) + 20
    )
    page.get_by_role("button", name="Stop").click()
    written = text(page).input_value()
    greedy = page.evaluate(
        "() => (r => r.steps.map((_, t) => r.next(t, 1)[0][0]))"
        "(document.querySelector('.carousel').carousel.reading)"
    )
    assert written.startswith(before)
    assert list(written[len(before) :]) == greedy[len(before) - 1 : len(written) - 1]
    page.wait_for_timeout(300)
    assert text(page).input_value() == written
    assert page.get_by_role("button", name="Write on").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_in_both_schemes(opened, scheme):
    page = opened(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert (sum(color(page, "zero")) < 200) == (scheme == "dark")
    for name in ("zero", "above", "below"):
        assert contrast(color(page, "ink"), color(page, name)) >= 4.5
    assert contrast(color(page, "quiet"), color(page, "zero")) >= 4.5
    other = {"light": "dark", "dark": "light"}[scheme]
    painted = "document.querySelector('.carousel-reel canvas').toDataURL()"
    before = page.evaluate(painted)
    page.emulate_media(color_scheme=other)
    # The event of the new scheme comes when the browser finds time for it.
    page.wait_for_function(f"before => {painted} !== before", arg=before)


def contrast(one, two):
    """WCAG's contrast of two colours."""

    def light(color):
        parts = [c / 255 for c in color]
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    dark, bright = sorted([light(one), light(two)])
    return (bright + 0.05) / (dark + 0.05)


def test_the_weights_are_loaded_when_it_comes_into_view(opened):
    page = opened(above=3000)
    assert page.locator(".carousel").get_attribute("data-state") == "waiting"
    assert not any("weights.js" in url for url in page.requested)
    page.locator(".carousel").scroll_into_view_if_needed()
    page.wait_for_selector(".carousel[data-state=ready]")
    assert any("weights.js" in url for url in page.requested)
    sizes = {path.name: path.stat().st_size for path in CAROUSEL.iterdir()}
    assert sizes.pop("weights.js") < 1_100_000
    assert sum(sizes.values()) < 60_000
