"""The reference of the package in Markdown, made of its signatures and docstrings: `docs/python.md`."""

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import ForwardRef

import failover_sim as fs

INTRODUCTION = """\
# The Python package

Generated from the docstrings of `python/failover_sim`; do not edit. [First steps](how-to/python.md) are on a page of their own.
Examples run from the root of the repository.
"""

SECTIONS = {"Args": "Arguments", "Raises": "Raises", "Warns": "Warns", "Returns": "Returns"}


def reference() -> str:
    """Functions first, then classes, each with its members."""
    public = {name: getattr(fs, name) for name in fs.__all__}
    functions = {name: thing for name, thing in public.items() if inspect.isfunction(thing)}
    classes = {name: thing for name, thing in public.items() if inspect.isclass(thing)}
    parts = [INTRODUCTION]
    parts += [of_function(f"failover_sim.{name}", thing) for name, thing in functions.items()]
    parts += [of_class(name, thing) for name, thing in classes.items()]
    return "\n".join(parts)


def of_function(name: str, function: Callable[..., object], level: str = "##") -> str:
    return f"{level} `{name}`\n\n{signature(name.rsplit('.', 1)[-1], function)}\n{markdown(inspect.getdoc(function) or '')}"


def of_class(name: str, kind: type) -> str:
    """What it is, and what is public of it; what it has from a class that is public is described there."""
    bases = [base.__name__ for base in kind.__bases__ if base is not object and is_public(base)]
    after = f"({', '.join(bases)})" if bases else ""
    if issubclass(kind, tuple):
        after = f"({', '.join(f'{field}: {annotation(of)}' for field, of in inspect.get_annotations(kind).items())})"
    parts = [f"## `failover_sim.{name}{after}`\n\n{markdown(inspect.getdoc(kind) or '')}"]
    for member, value in members(kind):
        heading = f"{name}.{member}"
        if isinstance(value, staticmethod | classmethod):
            value = value.__func__
        if inspect.isfunction(value):
            parts.append(of_function(heading, value, "###"))
        elif isinstance(value, property | cached_property):
            getter = value.fget if isinstance(value, property) else value.func
            returned = annotation(inspect.signature(getter).return_annotation) if getter is not None else ""
            parts.append(f"### `{heading}: {returned}`\n\n{markdown(inspect.getdoc(value) or '')}")
    return "\n".join(parts)


def members(kind: type) -> Iterator[tuple[str, object]]:
    """What is public of a class and of a base that is not, in the order of their text."""
    for base in (kind, *(base for base in kind.__bases__ if not is_public(base))):
        for name, value in vars(base).items():
            is_operator = name in ("__getitem__", "__len__") and inspect.getdoc(value)
            if (not name.startswith("_") or is_operator) and not issubclass(kind, tuple):
                yield name, value


def is_public(kind: type) -> bool:
    return kind.__name__ in fs.__all__ or kind.__module__ == "builtins"


def signature(name: str, function: Callable[..., object]) -> str:
    """As Python would have it, a line for each argument if there are many."""
    signature = inspect.signature(function)
    arguments = []
    is_keyword = False
    for parameter in signature.parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not is_keyword:
            arguments.append("*")
            is_keyword = True
        typed = f"{parameter.name}: {annotation(parameter.annotation)}"
        arguments.append(typed if parameter.default is parameter.empty else f"{typed} = {parameter.default!r}")
    returned = annotation(signature.return_annotation)
    line = f"{name}({', '.join(arguments)}) -> {returned}"
    if len(line) > 100:
        line = f"{name}(\n" + "".join(f"    {argument},\n" for argument in arguments) + f") -> {returned}"
    return f"```text\n{line}\n```\n"


def annotation(written: object) -> str:
    if isinstance(written, ForwardRef):
        return written.__forward_arg__
    return written if isinstance(written, str) else getattr(written, "__name__", str(written))


def markdown(docstring: str) -> str:
    """A docstring with lists for its sections and fences around its examples."""
    blocks = []
    for block in re.split(r"\n{2,}", docstring):
        heading, _, rest = block.partition("\n")
        if heading.rstrip(":") in SECTIONS and heading.endswith(":"):
            blocks.append(f"{SECTIONS[heading[:-1]]}:\n\n{items(textwrap.dedent(rest))}")
        elif block.startswith(">>> "):
            blocks.append(f"```pycon\n{block}\n```")
        else:
            blocks.append(block)
    return "\n\n".join(blocks) + "\n"


def items(text: str) -> str:
    """`name: what it is`, with further lines indented, as a list."""
    joined = re.sub(r"\n +", " ", text)
    return "\n".join(re.sub(r"^(\w+): ", r"- `\1`: ", line) for line in joined.splitlines())


if __name__ == "__main__":
    print(reference(), end="")
