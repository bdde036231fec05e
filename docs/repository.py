"""An mdBook preprocessor: links out of docs/ name the file instead, as a built book stands alone.

On a forge the same pages are read in place, and the links open.
"""

import json
import re
import sys

OUTSIDE = re.compile(r"\[([^\]]*)\]\(((?:\.\./)+)(?!\.\.)([^)#]*)(?:#[^)]*)?\)")


def named(chapter_path, text):
    """Links that leave the folder of the book, as their text and the path in the repository."""
    depth = chapter_path.count("/") + 1

    def replace(link):
        if link[2].count("../") < depth:
            return link[0]
        return f"{link[1]} (`{link[3]}`)"

    return OUTSIDE.sub(replace, text)


def visit(items):
    for item in items:
        chapter = item.get("Chapter") if isinstance(item, dict) else None
        if chapter:
            chapter["content"] = named(chapter["path"] or "", chapter["content"])
            visit(chapter["sub_items"])


if len(sys.argv) > 1 and sys.argv[1] == "supports":
    sys.exit(0)
_context, book = json.load(sys.stdin)
visit(book.get("items") or book.get("sections"))
json.dump(book, sys.stdout)
