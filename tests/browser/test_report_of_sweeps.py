"""The report of a sweep."""

import re

from conftest import document


def test_any_two_axes_and_a_metric_are_chosen(reports, opened):
    path = reports.sweep()
    sweep = document(path)["sweep"]
    labels = [axis["label"] for axis in sweep["axes"]]
    with opened(path) as page:
        for x, label in enumerate(labels):
            page.locator("#sweep-x").select_option(str(x))
            assert page.locator("#curve .figure-sub").inner_text().find(label) > 0
            for y, other in enumerate(labels):
                if y == x:
                    assert page.locator(f"#sweep-y option[value='{y}']").count() == 0
                    continue
                page.locator("#sweep-y").select_option(str(y))
                text = page.locator("#map .figure-sub").inner_text()
                assert label in text and other in text
                assert page.locator("#map .chart svg, #map .chart canvas, #map .is-empty").count() == 1
        for metric in sweep["metrics"]:
            page.locator("#sweep-metric").select_option(metric["name"])
            assert page.locator("#curve .figure-sub").inner_text().startswith(metric["label"])
        page.locator("#sweep-y").select_option("")
        assert not page.locator("#map").is_visible()


def test_the_curve_shows_the_points_of_the_results(reports, opened):
    path = reports.sweep()
    sweep = document(path)["sweep"]
    points, estimates = sweep["points"], sweep["points"]["estimates"]["failed_count"]
    with opened(path) as page:
        held = {axis: int(page.locator(f"#sweep-fixed-{axis}").input_value()) for axis in range(len(sweep["axes"])) if page.locator(f"#sweep-fixed-{axis}").count()}
        x, scenario = int(page.locator("#sweep-x").input_value()), int(page.locator("#sweep-scenario").input_value())
        page.locator("#curve details summary").click()
        page.locator("#curve table").wait_for()
        for row in page.locator("#curve tbody tr").all():
            value = sweep["axes"][x]["values"].index(row.locator("th").inner_text())
            fits = [at for at in range(len(points["point"])) if points["scenario"][at] == scenario and points["axes"][x][at] == value
                    and all(points["axes"][axis][at] == place for axis, place in held.items())]
            text = row.locator("td").inner_text()
            if not fits:
                assert text == "\u2013"
                continue
            (point,) = fits
            shown = [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]
            wanted = [estimates["mean"][point], estimates["pi95_low"][point], estimates["pi95_high"][point]]
            assert all(abs(one - other) <= 0.51 for one, other in zip(shown, wanted)), (shown, wanted)


def test_the_range_is_chosen(reports, opened):
    with opened(reports.sweep()) as page:
        assert "range of 95% of runs" in page.locator("#curve .caption").inner_text()
        page.locator("#sweep-range").select_option("ci95")
        assert "95% CI of the mean" in page.locator("#curve .caption").inner_text()


def test_the_table_sorts_filters_and_turns_pages(reports, opened):
    path = reports.sweep()
    sweep = document(path)["sweep"]
    means = sweep["points"]["estimates"]["failed_count"]["mean"]
    with opened(path) as page:
        table, status = page.locator("#points"), page.locator(".pager [role=status]")
        rows = lambda: table.locator("tbody tr")
        header = table.get_by_role("button", name="failed requests")
        column = table.locator("thead button").all_inner_texts().index("failed requests")
        shown = lambda: [float(text.split("\n")[0].replace(",", "")) for text in rows().locator(f"td:nth-child({column + 1})").all_inner_texts()]
        header.click()
        assert shown() == sorted(shown()) and abs(shown()[0] - min(means)) < 1
        header.click()
        assert shown() == sorted(shown(), reverse=True) and abs(shown()[0] - max(means)) < 1
        assert rows().count() == 50
        page.get_by_role("button", name="Next").click()
        assert status.inner_text().startswith("51 to 100")
        page.locator("#points-filter").fill("failed_count<1000")
        assert 0 < len(shown()) and all(value < 1000 for value in shown())
        assert f"{sum(mean < 1000 for mean in means):,} point" in status.inner_text()
        page.locator("#points-filter").fill("no-such-thing")
        assert rows().count() == 0 and "No point fits" in status.inner_text()
        page.locator("#points-filter").fill("best")
        assert rows().count() >= 1


def test_ten_thousand_points_take_few_elements(reports, opened):
    path = reports.many()
    assert len(document(path)["sweep"]["points"]["point"]) == 10_000
    with opened(path) as page:
        assert page.locator("#points tbody tr").count() == 50
        assert page.locator("#curve canvas").count() >= 1
        assert page.evaluate("document.querySelectorAll('*').length") < 6_000
        page.locator("#points-filter").fill("failed_count<5000")
        assert "of 10,000 in all" in page.locator(".pager [role=status]").inner_text()
        page.locator("#points").get_by_role("button", name="failed requests").click()
        assert page.locator("#points tbody tr").count() == 50
