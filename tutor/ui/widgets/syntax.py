"""The colours of code for widgets that draw line by line: component classes."""

from tutor.ui.look import SYNTAX


def syntax_classes(prefix: str) -> set[str]:
    """The component classes: `prefix--keyword` and so on."""
    return {f"{prefix}--{kind}" for kind in SYNTAX}


def syntax_css(widget: str, prefix: str) -> str:
    """The rules for them, as `look` says."""
    return "".join(
        f"{widget} > .{prefix}--{kind} {{ {_declarations(style)} }}\n"
        for kind, style in SYNTAX.items()
    )


def _declarations(style: str) -> str:
    """A style of `look` as CSS."""
    words = style.split()
    colours = [word for word in words if word.startswith("$")]
    flags = [word for word in words if word not in colours]
    rules = [f"color: {colours[0]};"] if colours else []
    return " ".join([*rules, f"text-style: {' '.join(flags)};"] if flags else rules)
