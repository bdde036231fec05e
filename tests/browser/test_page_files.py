"""The page's own files, before any browser."""

import re

import page

OWN = [page.PAGE / f"js/{name}.js" for name in page.SCRIPTS]


def test_the_policy_allows_the_scripts_as_they_are():
    assert page.HASHES.read_text().strip() == page.hashes(), "run: python tests/browser/page.py --hashes"


def test_all_scripts_are_in_the_page():
    assert sorted(OWN) == sorted((page.PAGE / "js").glob("*.js"))


def test_scripts_make_no_markup_of_text():
    ways = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function|srcdoc|setAttribute\(\"on"
    for path in OWN:
        assert not re.search(ways, path.read_text()), path


def test_scripts_and_style_know_no_address():
    for path in [*OWN, page.PAGE / "style.css", page.PAGE / "index.html"]:
        assert not re.search(r"https?://|@import|url\(", path.read_text()), path


def test_the_charts_keep_their_licence():
    charts = page.charts()
    for text in ["Apache License", "Copyright 2017-2026 The Apache Software Foundation", "Baidu", "Bostock", "Microsoft Corporation"]:
        assert text in charts, text
    assert "</script" not in charts.lower() and "<!--" not in charts
