"""The report of scenarios side by side."""

import json
import re

from conftest import document


def whole(text):
    """Numbers in a text."""
    return [float(number.replace(",", "")) for number in re.findall(r"-?\d[\d,]*(?:\.\d+)?", text)]


def near(shown, value):
    """As printed: whole numbers from 100 on, else three digits."""
    return abs(shown - value) <= max(0.51, 0.005 * abs(value)) if abs(value) >= 10 else abs(shown - value) <= 0.005 * abs(value) + 1e-9


def test_the_three_numbers_are_those_of_the_run(reports, opened):
    path = reports.pair()
    baseline, compared = json.loads(reports.printed["pair"])["scenarios"]
    with opened(path) as page:
        numbers = page.locator(".numbers > div")
        assert numbers.count() == 3
        first = numbers.nth(0)
        for place, scenario in [(first.locator(".headline-value"), compared), (first.locator(".headline-before").nth(1), baseline)]:
            failed = scenario["metrics"]["failed_count"]
            shown = whole(place.inner_text())
            assert near(shown[0], failed["pi95_low"]) and near(shown[1], failed["pi95_high"]), (shown, failed)
        assert near(whole(first.locator(".headline-before").nth(0).inner_text())[1], compared["metrics"]["failed_count"]["mean"])
        # Nobody gave a price, so there is no cost; it is not nothing.
        assert numbers.nth(2).locator(".headline-value").inner_text() == "\u2013"
        assert "--set" in numbers.nth(2).locator(".headline-note").inner_text()


def test_the_table_has_the_numbers_of_the_run_and_sorts(reports, opened):
    path = reports.pair()
    printed = {scenario["name"]: scenario["metrics"] for scenario in json.loads(reports.printed["pair"])["scenarios"]}
    with opened(path) as page:
        table = page.locator("#comparison")
        names = table.locator("thead button").all_inner_texts()
        checked = 0
        for row in table.locator("tbody tr").all():
            name = row.locator("th").inner_text().split()[0]
            for metric, cell in zip(names[1:], row.locator("td").all()):
                mean = printed[name][metric]["mean"]
                text = cell.inner_text().split("\n")[0]
                if mean is None:
                    assert text == "\u2013"
                elif text.endswith("%"):
                    assert abs(whole(text)[0] / 100 - mean) < 0.0006
                elif text.endswith(" s"):
                    assert abs(whole(text)[0] * 1000 - mean) <= 0.006 * mean
                elif text.endswith(" min"):
                    assert abs(whole(text)[0] * 60_000 - mean) <= 0.006 * mean
                else:
                    assert near(whole(text)[0], mean), (metric, text, mean)
                checked += 1
        assert checked > 10
        first = lambda: table.locator("tbody th").first.inner_text().split()[0]
        failed = table.get_by_role("button", name="failed_count")
        failed.click()
        assert first() == "any_phase_5s"
        assert table.locator("th[aria-sort='ascending']").inner_text().startswith("failed_count")
        failed.press("Enter")
        assert first() == "any_phase_60s"


def test_the_chooser_shows_every_scenario(reports, opened):
    path = reports.experiment()
    names = [scenario["name"] for scenario in document(path)["scenarios"]]
    with opened(path) as page:
        chooser = page.locator("#choose-scenario")
        assert chooser.locator("option").count() == len(names) == 13
        for name in names:
            chooser.select_option(name)
            assert page.locator("#closeup > h3").inner_text() == name
            assert name in page.locator("#fate .caption").inner_text()
            assert page.locator("#log tbody tr").count() >= 2
        figures = page.locator("figure h3").all_inner_texts()
        assert len(figures) == len({text.split(".")[0] for text in figures})


def test_the_time_shown_moves(reports, opened):
    path = reports.pair()
    with opened(path) as page:
        page.locator("#fate details summary").click()
        page.locator("#fate table").wait_for()
        rows = lambda: page.locator("#fate tbody tr").count()
        incident = rows()
        page.get_by_role("button", name="Whole run", exact=True).click()
        assert rows() >= incident
        everything = rows()
        page.get_by_role("button", name="Closer", exact=True).press("Enter")
        assert rows() < everything
        begins = page.locator("#fate tbody th").first.inner_text()
        page.get_by_role("button", name="Earlier", exact=True).press("Space")
        assert page.locator("#fate tbody th").first.inner_text() < begins
        page.get_by_role("button", name="Incident", exact=True).click()
        assert rows() == incident


def test_series_and_log_are_filtered(reports, opened):
    with opened(reports.pair()) as page:
        page.locator("#choose-source").select_option("provider")
        assert "served by claude_east" in page.locator("#fate .legend").inner_text()
        lines = page.locator("#log tbody tr").count()
        page.locator("#choose-kind").select_option("fault")
        assert 0 < page.locator("#log tbody tr").count() < lines
        assert set(page.locator("#log .kind").all_inner_texts()) == {"fault"}


def test_the_strips_add_up_to_what_failed(reports, opened):
    path = reports.pair()
    strips, printed = document(path)["strips"], json.loads(reports.printed["pair"])["scenarios"]
    for row, scenario in zip(strips["rows"], printed):
        failed = scenario["metrics"]["failed_count"]["mean"]
        assert abs(sum(row["failed_per_s"]) * strips["bin_s"] - failed) <= 0.01 * failed


def test_settings_and_game_day_are_there(reports, opened):
    path = reports.experiment()
    with opened(path) as page:
        assert "gateway.health_check.interval" in page.locator("#settings").inner_text()
        few = page.locator("#settings thead th").count()
        page.locator("#choose-settings").select_option("all")
        assert page.locator("#settings thead th").count() == 14 > few
        assert page.locator("#game-day article").count() >= 1
        assert page.locator("#game-day article li").count() >= 1


def test_what_is_missing_is_not_zero(reports, opened):
    path = reports.dead()
    made = document(path)
    with opened(path) as page:
        assert page.locator("#latency .chart").inner_text() == "No request succeeded in this run, so none has a latency."
        missing = [metric["name"] for metric in made["scenarios"][0]["metrics"] if metric["estimate"] is None]
        for name in missing:
            cells = page.locator("#scenarios tbody tr", has_text=re.compile(rf"^{name}\b")).locator("td").all_inner_texts()
            assert cells[0] == "\u2013"


def test_replicas_have_lanes_of_their_own(reports, opened):
    with opened(reports.replicas()) as page:
        labels = " ".join(page.locator("#lanes svg text").all_text_contents())
        for replica in range(3):
            assert f"replica {replica}" in labels
