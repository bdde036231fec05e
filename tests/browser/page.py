"""Makes an HTML report of a document, as the command does: for work on the page without a build.

    python tests/browser/page.py document.json report.html    # a page of this document
    python tests/browser/page.py --hashes                     # writes script-hashes.txt anew, after a change of a script
"""

import base64
import hashlib
import html
import json
import pathlib
import sys

PAGE = pathlib.Path(__file__).resolve().parents[2] / "src/output/report/page"
SCRIPTS = ["dom", "chart", "summary", "run", "parts", "points", "sweep", "tune", "main"]
HASHES = PAGE / "script-hashes.txt"


def read(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")


def charts() -> str:
    return read("vendor/echarts.min.js")


def script() -> str:
    return "".join(read(f"js/{name}.js") for name in SCRIPTS)


def hashes() -> str:
    """What the page's content security policy allows to run: the charts and the script, and nothing else."""
    digests = [hashlib.sha256(text.encode()).digest() for text in (charts(), script())]
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


def page(document: dict) -> str:
    data = json.dumps(document, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        data = data.replace(character, f"\\u{ord(character):04x}")
    parts = {
        "hashes": HASHES.read_text().strip(),
        "title": html.escape(document["title"]),
        "style": read("style.css"),
        "data": data,
        "charts": charts(),
        "script": script(),
    }
    made = ""
    rest = read("index.html")
    for name, text in parts.items():
        before, rest = rest.split("{{%s}}" % name)
        made += before + text
    return made + rest


if __name__ == "__main__":
    if sys.argv[1:] == ["--hashes"]:
        HASHES.write_text(hashes() + "\n")
    else:
        document = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
        pathlib.Path(sys.argv[2]).write_text(page(document), encoding="utf-8")
