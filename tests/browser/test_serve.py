"""The what-if page in a browser: every control is moved, and the newest answer is what one sees."""

import json
import re
import subprocess
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from conftest import BINARY, ROOT, command
from playwright.sync_api import expect

STORY = "experiments/01_incident_3am/any_phase_60s.toml"
# Names take letters, digits, _ and -; what else an author writes may hold anything.
EVIL = """
about = "</script><img src=x onerror=alert(1)> & <b>bold</b> @@nonce@@"
clock = "02:45:00 <i>UTC"
duration = "4m"
traffic.arrivals = { poisson = "5/s" }
gateway.route = { prefer = ["main", "backup"] }
gateway.health_check = { interval = "10s", timeout = "1s" }
provider.main = { latency = { constant = "1s" }, labels = { vendor = "<a>" } }
provider.backup = { latency = { constant = "1s" } }
fault.script = { on = { vendor = "<a>" }, at = "1m", lasts = "1m" }
objective = [{ expect = "failed_count.p95 <= 1", about = "<script>alert(7)</script>" }]
"""


@contextmanager
def served(*arguments):
    """A page that is up, and its address."""
    process = subprocess.Popen(
        [BINARY, "serve", *map(str, arguments), "--port", "0"], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def story():
    with served(STORY, "--runs", 40) as url:
        yield url


@pytest.fixture
def visit(chromium):
    """Opens a page; at its end there may be nothing in the console, no dialog, and no request to anywhere else."""

    @contextmanager
    def open_page(url, fragment="", width=1280, height=900, permitted=(), **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=url.rstrip("/"))
        page = context.new_page()
        wrong = []

        def heard(text):
            if not any(word in text for word in permitted):
                wrong.append(text)

        page.on("console", lambda message: heard(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: heard(f"error: {error}"))
        page.on("dialog", lambda dialog: (heard(f"dialog: {dialog.message}"), dialog.dismiss()))
        allowed = (url, "blob:", "data:,")
        page.on("request", lambda request: request.url.startswith(allowed) or heard(f"request: {request.url}"))
        page.goto(url + fragment)
        settled(page)
        yield page
        page.wait_for_timeout(50)
        assert wrong == []
        context.close()

    return open_page


def until(page, condition):
    """Waits for it. The page's policy allows no evaluation, so it cannot wait for it itself."""
    for _ in range(1200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"it never came true: {condition}")


def settled(page):
    """Waits until nothing is under way: all runs are played, and no question is on its way."""
    until(page, "isMovedSince === null && underWay === null && frame === 0 && shown !== null && (shown.runs === shown.runs_possible || !document.querySelector('#says').hidden)")


def failed(page):
    return page.inner_text("#failed")


def figures_are_drawn(page):
    return page.eval_on_selector_all("#strip .chart, #lanes .chart, #latency .chart", "boxes => boxes.map(box => box.querySelectorAll('svg path').length > 0 || box.classList.contains('is-empty'))")


def mean_of(document, scenario=0):
    return document["scenarios"][scenario]["metrics"]["failed_count"]["mean"]


def test_every_control_moves_something(story, visit):
    with visit(story) as page:
        # What is switched off is switched on, so that its controls are there, too.
        off = page.locator("input[role=switch]:not(:checked)")
        while off.count() > 0:
            off.first.check()
        settled(page)
        paths = page.eval_on_selector_all(".knob", "knobs => knobs.map(knob => knob.dataset.path)")
        assert {
            "gateway.health_check.interval", "gateway.health_check.timeout", "gateway.health_check.eject_after",
            "gateway.health_check.readmit_after", "gateway.detector.breaker.consecutive", "gateway.detector.breaker.eject_for",
            "gateway.retry.attempts", "gateway.retry.delay", "gateway.timeouts.attempt", "traffic.arrivals.constant",
            "fault.outage.at", "fault.outage.lasts",
        } <= set(paths)
        for path in paths:
            control = page.locator(f'[id="knob-{path}"]')
            with page.expect_request("**/api/simulate") as asked:
                if control.evaluate("control => control.tagName") == "SELECT":
                    control.select_option(index=1)
                else:
                    control.focus()
                    page.keyboard.press("End" if control.input_value() == "0" else "Home")
            settled(page)
            settings = json.loads(asked.value.post_data)["settings"]
            assert path in settings
            assert not page.locator("#says").is_visible(), (path, page.inner_text("#says"))
            assert failed(page).strip()
            assert all(figures_are_drawn(page))
            page.locator(f'.knob[data-path="{path}"] .was').click()
            settled(page)
        page.locator("#reset").click()
        settled(page)
        assert page.locator("#reset").is_disabled()
        assert page.inner_text("#change").startswith("This is the scenario as written")
        until(page, "location.hash === ''")


def test_switches_leave_out_and_bring_back(story, visit):
    with visit(story) as page:
        written = failed(page)
        page.locator('input[data-path="gateway.health_check"]').uncheck()
        settled(page)
        assert "more than as written" in page.inner_text("#change")
        assert not page.locator('[id="knob-gateway.health_check.interval"]').is_visible()
        assert page.evaluate("settingsNow()") == {"gateway.health_check": None}
        page.locator('input[data-path="gateway.health_check"]').check()
        settled(page)
        assert failed(page) == written


def test_the_numbers_are_those_of_run(story, visit):
    with visit(story) as page:
        value = page.locator('input.value[data-path="gateway.health_check.interval"]')
        value.fill("5s")
        value.press("Enter")
        settled(page)
        ran = json.loads(command("run", STORY, "--runs", 40, "--format", "json", "--set", "gateway.health_check.interval=5s"))
        metric = ran["scenarios"][0]["metrics"]["failed_count"]
        low, high = (f"{round(metric[name]):,}" for name in ("pi95_low", "pi95_high"))
        assert failed(page) == f"{low} to {high}"
        assert f"{round(metric['mean']):,}" in page.inner_text(".headline .under")
        assert re.search(r"[\d,]+ fewer than as written, on average \(95% interval of the mean: [\d,]+ to [\d,]+\)", page.inner_text("#change"))
        assert re.search(r"40 runs of 40, seed 1, .* in [\d,.]+ ms", page.inner_text("#how"))
        # The picture is of run 0.
        first = json.loads(command("run", STORY, "--run-index", 0, "--format", "json", "--set", "gateway.health_check.interval=5s"))
        assert f"{round(mean_of(first)):,} in this run" in page.inner_text("#strip")


def test_what_somebody_types_is_answered_with_a_sentence(story, visit):
    with visit(story, permitted=("422",)) as page:
        value = page.locator('input.value[data-path="gateway.health_check.timeout"]')
        value.fill("fast")
        value.press("Enter")
        settled(page)
        assert 'is "fast", not a duration' in page.inner_text("#says")
        value.fill("7.7s")
        value.press("Enter")
        settled(page)
        assert not page.locator("#says").is_visible()
        assert page.evaluate("settingsNow()") == {"gateway.health_check.timeout": "7.7s"}


def test_the_newest_answer_wins(story, visit):
    with visit(story) as page:
        held = []

        def hold(route):
            # The first question is never answered.
            if not held:
                held.append(route)
            else:
                route.continue_()

        page.route("**/api/simulate", hold)
        slider = page.locator('[id="knob-gateway.health_check.interval"]')
        slider.focus()
        with page.expect_request("**/api/simulate"):
            page.keyboard.press("Home")
        # The page gives it up for a newer one: whatever its answer is, it is not drawn.
        with page.expect_event("requestfailed") as given_up:
            page.keyboard.press("End")
        assert given_up.value == held[0].request
        settled(page)
        newest = failed(page)
        assert page.locator('input.value[data-path="gateway.health_check.interval"]').input_value() == "5m"
        page.unroute("**/api/simulate")
        # Dragging: many moves, few questions, and the last one counts.
        asked = []
        page.on("request", lambda request: request.url.endswith("/api/simulate") and asked.append(request))
        moves = page.evaluate("""() => {
            const slider = document.getElementById('knob-gateway.health_check.interval');
            for (let at = 0; at <= Number(slider.max); at++) { slider.value = at; slider.dispatchEvent(new Event('input', { bubbles: true })); }
            return Number(slider.max) + 1;
        }""")
        settled(page)
        assert failed(page) == newest
        assert 0 < len(asked) < moves / 4


def test_copied_as_toml_it_runs_with_the_same_numbers(story, visit, tmp_path):
    with visit(story) as page:
        page.locator('input[data-path="gateway.fallback"]').check()
        slider = page.locator('[id="knob-fault.outage.lasts"]')
        slider.focus()
        page.keyboard.press("Home")
        settled(page)
        page.locator("#copy-toml").click()
        until(page, "document.querySelector('#copy-toml').textContent === 'Copied'")
        copied = page.evaluate("navigator.clipboard.readText()")
        with page.expect_download() as download:
            page.locator("#download-toml").click()
        assert download.value.suggested_filename == "any_phase_60s_what_if.toml"
        file = tmp_path / "copied.toml"
        download.value.save_as(file)
        assert file.read_text() == copied
        assert "--seed 1 --runs 40" in copied
        ran = json.loads(command("run", file, "--seed", 1, "--runs", 40, "--format", "json"))
        assert mean_of(ran) == page.evaluate("now().metrics.failed_count.mean")


def test_a_link_opens_the_same_what_if(story, visit):
    with visit(story) as page:
        page.locator('input[data-path="gateway.retry"]').check()
        for path in ("gateway.retry.attempts", "gateway.health_check.interval"):
            page.locator(f'[id="knob-{path}"]').focus()
            page.keyboard.press("ArrowRight")
        settled(page)
        page.locator("#copy-link").click()
        link, there = page.evaluate("navigator.clipboard.readText()"), (failed(page), page.evaluate("settingsNow()"))
        until(page, "location.hash !== ''")
        assert page.evaluate("location.href") == link
    with visit(story, link.removeprefix(story)) as page:
        assert (failed(page), page.evaluate("settingsNow()")) == there
    # Settings that no control has are kept and can be left out; what is no link of ours does no harm.
    with visit(story, "#gateway.replicas=3&%ZZ=1&nonsense=&traffic.client_timeout=%2230s%22", permitted=("422",)) as page:
        assert page.evaluate("settingsNow()") == {"gateway.replicas": 3, "traffic.client_timeout": "30s"}
        assert page.locator(".extras li").count() == 2
        assert "replica 2" in page.inner_html("#lanes")
        page.locator(".extras button").first.click()
        settled(page)
        assert page.evaluate("settingsNow()") == {"traffic.client_timeout": "30s"}


def test_what_there_is_no_room_for_is_counted(visit):
    flaps = json.dumps({"flaps": {"times": 15, "up": "6s", "down": "6s"}})
    crash = json.dumps({"crash": {"effect": "crash", "at": "60s", "lasts": "30s", "replicas": 1}})
    fragment = f'#gateway.replicas=300&gateway.health_check.interval="2s"&fault.outage.recovery={quote(flaps)}&gateway.fault={quote(crash)}'
    with served(STORY, "--runs", 1) as url, visit(url, fragment) as page:
        said = page.inner_text("#lanes .figure-sub")
        assert re.fullmatch(r"by provider and replica; [\d,]+ more lanes are not shown; [\d,]+ more ejections are not shown", said), said
        assert "gateway" in page.inner_html("#lanes .chart")


def test_a_slow_scenario_shows_fewer_runs_first(chromium):
    arguments = [STORY, "--runs", 60, "--set", 'gateway.retry={ attempts = 3, on = ["any"], delay = "1s" }', "--set", "traffic.arrivals.constant=300/s"]
    with served(*arguments) as url:
        context = chromium.new_context()
        page = context.new_page()
        answers = []
        page.on("response", lambda response: response.url.endswith("simulate") and answers.append(response.json()["runs"]))
        page.goto(url)
        settled(page)
        page.locator('[id="knob-gateway.health_check.interval"]').focus()
        page.keyboard.press("Home")
        settled(page)
        expect(page.locator(".headline .under")).to_contain_text("in 95% of 60 runs", timeout=60_000)
        assert answers and max(answers) == 60
        context.close()


def test_names_are_text(visit, tmp_path):
    scenario = tmp_path / "<b>evil.toml"
    scenario.write_text(EVIL)
    with served(scenario, "--runs", 10) as url, visit(url) as page:
        assert page.locator("main img, main b, main script").count() == 0
        text = page.inner_text("main")
        for name in ("</script><img src=x onerror=alert(1)> & <b>bold</b> @@nonce@@", "<b>evil", "failed_count.p95 <= 1"):
            assert name in text, name
        # What the pointer says is made of elements, too.
        box = page.locator("#lanes .chart").bounding_box()
        for at in range(4, int(box["height"]), 8):
            page.mouse.move(box["x"] + box["width"] * 0.42, box["y"] + at)
            page.wait_for_timeout(20)
        page.hover("#strip .chart")
        page.wait_for_timeout(100)
        page.locator('[id="knob-fault.script.lasts"]').focus()
        page.keyboard.press("ArrowRight")
        settled(page)
        page.locator("#copy-toml").click()
        settled(page)


@pytest.mark.parametrize("width", [400, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_page(story, visit, width, scheme):
    fragment = "#gateway.health_check.interval=%225s%22&gateway.fallback=%7B%7D"
    with visit(story, fragment, width=width, color_scheme=scheme) as page:
        for ask in page.locator(".ask:visible").all():
            ask.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        light = sum(map(int, re.findall(r"\d+", background)[:3])) > 3 * 128
        assert light == (scheme == "light")
        # A finger needs something to hit.
        sizes = page.eval_on_selector_all("input[type=range]", "boxes => boxes.filter(box => box.offsetParent).map(box => box.clientHeight)")
        assert min(sizes) >= (36 if width < 960 else 20)


def test_the_page_says_when_its_server_has_ended(visit):
    with served(STORY, "--runs", 5) as url, visit(url, permitted=("ERR_CONNECTION_REFUSED",)) as page:
        page.route("**/api/simulate", lambda route: route.abort("connectionrefused"))
        page.locator('[id="knob-gateway.health_check.interval"]').focus()
        page.keyboard.press("Home")
        page.wait_for_selector("#says:not([hidden])")
        assert "does not answer any more" in page.inner_text("#says")
