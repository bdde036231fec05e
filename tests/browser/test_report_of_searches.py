"""The report of a search for the best settings."""

import re

from conftest import document


def test_the_recommended_settings_are_marked_and_can_be_copied(reports, opened):
    path = reports.tune()
    tune = document(path)["tune"]
    with opened(path) as page:
        arguments = page.locator("#tune .command code").first.inner_text()
        for setting in tune["best_settings"]:
            assert f"{setting['path']}={setting['value'].strip(chr(34))}" in arguments
        best = tune["candidates"]["candidate"][tune["best"]]
        first = page.locator("#candidates tbody tr").first
        assert first.locator("td").first.inner_text() == str(best) and "recommended" in first.inner_text()
        assert "is-marked" in first.get_attribute("class")


def test_the_set_that_cannot_be_told_apart_is_a_filter_away(reports, opened):
    path = reports.tune()
    candidates = document(path)["tune"]["candidates"]
    tied = candidates["group"].count("cannot_tell")
    with opened(path) as page:
        assert ("cannot be told from the best" in page.locator("#tune").inner_text()) == (tied > 0)
        page.locator("#candidates-filter").fill("told")
        assert page.locator("#candidates tbody tr").count() == min(50, tied)
        page.locator("#candidates-filter").fill("")
        assert f"of {len(candidates['candidate']):,} candidates" in page.locator("#tune .pager [role=status]").inner_text() or len(candidates["candidate"]) == 1


def test_any_two_numbers_are_drawn_against_each_other(reports, opened):
    path = reports.tune()
    with opened(path) as page:
        page.locator("#front details summary").click()
        page.locator("#front table").wait_for()
        for name in ["front-x", "front-y"]:
            for option in page.locator(f"#{name} option").all():
                page.locator(f"#{name}").select_option(option.get_attribute("value"))
                assert option.inner_text() in page.locator("#front .figure-sub").inner_text()
                assert page.locator("#front .chart svg, #front .chart canvas").count() == 1
        assert page.locator("#front tbody tr").count() == len(document(path)["tune"]["candidates"]["candidate"])


def test_a_front_is_joined_and_told(reports, opened):
    path = reports.front()
    tune = document(path)["tune"]
    assert len(tune["goals"]) == 2 and tune["best"] is None
    with opened(path) as page:
        assert "The line joins the front" in page.locator("#front .caption").inner_text()
        front = tune["candidates"]["group"].count("front")
        assert re.search(rf"\b{front} on the front", page.locator("#tune").inner_text())
