"""What holds for every kind of report."""

import json
import re

import pytest
from conftest import KINDS, document
from playwright.sync_api import expect
from pypdf import PdfReader

every = pytest.mark.parametrize("kind", KINDS)


def drawn(page):
    """Charts whose space is filled, and all of them."""
    return page.evaluate("[...document.querySelectorAll('.chart')].map(c => !!c.querySelector('svg, canvas') || c.classList.contains('is-empty') || c.offsetParent === null)")


@every
def test_it_opens_in_light_and_dark_with_all_it_has(reports, opened, kind):
    path = reports.of(kind)
    assert path.stat().st_size < 2_000_000
    colours = []
    for scheme in ["light", "dark"]:
        with opened(path, color_scheme=scheme) as page:
            assert all(drawn(page))
            assert page.locator(".failure").count() == 0
            assert document(path)["decision"]["sentence"].startswith(page.locator("h1").inner_text())
            style = "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
            colours += page.locator("body").evaluate(style)
            colours.append(page.evaluate("document.querySelector('.chart svg text')?.getAttribute('fill') ?? 'none'"))
    light, dark = colours[:3], colours[3:]
    assert all(one != other for one, other in zip(light, dark) if one != "none")


@every
def test_it_has_no_sideways_scroll_on_a_phone(reports, opened, kind):
    for width in [400, 320]:
        with opened(reports.of(kind), width=width, height=800) as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert all(drawn(page))
            wide = page.evaluate(
                "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1"
                " && !e.closest('.scroll, svg, .visually-hidden, .toml')).map(e => e.outerHTML.slice(0, 80))"
            )
            assert wide == []


@every
@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_its_first_page_is_one_printed_page(reports, opened, folder, kind, paper):
    path = reports.of(kind)
    pdf = folder / f"{kind}-{paper}.pdf"
    with opened(path, color_scheme="dark") as page:
        page.pdf(path=pdf, format=paper, print_background=True)
        assert not page.evaluate("document.documentElement.hasAttribute('data-print')")
    pages = [re.sub(r"\s+", "", sheet.extract_text()) for sheet in PdfReader(pdf).pages]
    made = document(path)
    assert re.sub(r"\s+", "", made["decision"]["sentence"])[:40] in pages[0]
    # The last thing of the first page is the command; the first of the second is for engineers.
    assert re.sub(r"\s+", "", made["provenance"]["command"]) in pages[0]
    assert "forengineers" not in pages[0].lower()
    assert pages[1].lower().startswith("forengineers")


@every
def test_every_figure_says_what_it_is(reports, opened, kind):
    made = document(reports.of(kind))
    with opened(reports.of(kind)) as page:
        figures = page.locator("figure:visible")
        assert figures.count() >= 2
        commands = page.locator(".command code").all_inner_texts()
        assert made["provenance"]["command"] in commands
        for at in range(figures.count()):
            figure = figures.nth(at)
            assert re.match(r"Figure \d+\. \w", figure.locator("h3").inner_text())
            assert figure.locator(".figure-sub").inner_text()
            for chart in figure.locator(".chart").all():
                assert chart.get_attribute("role") == "img" and len(chart.get_attribute("aria-label")) > 20
                assert figure.locator("details.as-table").count() == 1
            if page.evaluate("f => !!f.closest('#details')", figure.element_handle()):
                assert re.search(r"\d+ runs?|Run \d+|runs of", figure.locator(".caption").inner_text())
                assert figure.locator(".command").count() == 1
        seed = f"seed {made['provenance']['seed']}"
        assert seed in page.locator(".prediction").inner_text()
        numbers = [int(text.split(".")[0].split()[1]) for text in page.locator("figure:visible h3").all_inner_texts()]
        assert numbers == sorted(set(numbers))


@every
def test_every_control_has_a_name_and_takes_the_keyboard(reports, opened, kind):
    with opened(reports.of(kind)) as page:
        for control in page.locator("select:visible, input:visible, button:visible").all():
            named = control.evaluate("e => !!(e.labels?.length || e.getAttribute('aria-label') || e.textContent.trim())")
            assert named and control.evaluate("e => e.tabIndex >= 0")
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
        assert len(ids) == len(set(ids))
        for link in page.locator(".contents a").all():
            assert page.locator(link.get_attribute("href")).count() == 1


@every
def test_every_table_of_a_chart_opens(reports, opened, kind):
    with opened(reports.of(kind)) as page:
        for details in page.locator("details.as-table:visible").all():
            details.locator("summary").focus()
            page.keyboard.press("Enter")
            details.locator("table").wait_for()


@every
def test_every_choice_of_every_control_can_be_made(reports, opened, kind):
    with opened(reports.of(kind)) as page:
        for name in page.locator("select").evaluate_all("all => all.map(e => e.id)"):
            assert name
            for value in page.locator(f"#{name} option").evaluate_all("all => all.map(e => e.value)")[:12]:
                select = page.locator(f"#{name}")
                if select.count() == 1 and select.locator(f"option[value='{value}']").count() == 1:
                    select.select_option(value)
                    assert all(drawn(page))
        assert page.locator(".failure").count() == 0


def test_the_command_is_copied(reports, opened):
    path = reports.pair()
    with opened(path, permissions=["clipboard-read", "clipboard-write"]) as page:
        copy = page.locator(".prediction .command button")
        copy.focus()
        page.keyboard.press("Enter")
        expect(copy).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == document(path)["provenance"]["command"]


def test_names_are_text(reports, opened):
    path = reports.evil()
    with opened(path) as page:
        assert page.locator("img, svg[onload], main b, main i:not(.track i), main script, main a:not(.contents a)").count() == 0
        text = page.locator("main").inner_text()
        for wanted in ["<img src=x onerror=alert(2)>", "</script><img src=x onerror=alert(1)> & <!--", "{{data}} {{title}} {{style}}", "<svg onload=alert(5)>", "<i>UTC"]:
            assert wanted in text, wanted
        assert page.title().startswith("<img") or "<img" in page.title()
        for chart in page.locator(".chart:visible").all():
            chart.scroll_into_view_if_needed()
            box = chart.bounding_box()
            for share in [0.2, 0.4, 0.6, 0.8]:
                page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] * 0.5)
        assert page.locator("img").count() == 0


def test_a_policy_forbids_every_other_script(reports, opened):
    path = reports.single()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', path.read_text()).group(1)
    assert "default-src 'none'" in policy and "unsafe-inline" not in policy.split("style-src")[0]
    assert json.dumps(policy).count("sha256-") == 2
