"""Text measured in terminal cells: where a line is cut, how it fills a width."""

from collections.abc import Iterator

from rich.cells import cell_len, set_cell_size


def fitted(text: str, width: int, ellipsis: str) -> str:
    """Exactly `width` cells: filled with spaces, or cut with `ellipsis` (one cell)."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, max(0, width - 1)) + ellipsis[:width]


def wrapped(text: str, width: int, *, words: bool = False) -> Iterator[tuple[int, int]]:
    """Where a line is cut so that no part is wider than `width` cells: start, end.

    `words`: at spaces where that is possible; columns of numbers stay in line without.
    """
    width = max(2, width)
    if words:
        yield from _wrapped_words(text, width)
    elif text.isascii():
        for start in range(0, max(1, len(text)), width):
            yield start, min(start + width, len(text))
    else:
        start = 0
        while (end := _end(text, start, width)) < len(text):
            yield start, end
            start = end
        yield start, end


def _wrapped_words(text: str, width: int) -> Iterator[tuple[int, int]]:
    start = 0
    while (end := _end(text, start, width)) < len(text):
        space = text.rfind(" ", start + 1, end + 1)
        end = end if space < 0 else space
        yield start, end
        start = end + (space >= 0)
    yield start, end


def _end(text: str, start: int, width: int) -> int:
    """How far a part of `width` cells goes."""
    used = 0
    for index in range(start, len(text)):
        used += cell_len(text[index])
        if used > width:
            return index
    return len(text)


def height(text: str, width: int, *, words: bool = False) -> int:
    """How many parts `wrapped` makes."""
    if len(text) * 2 <= width or (len(text) <= width and text.isascii()):
        return 1
    if text.isascii() and not words:
        return -(-len(text) // max(2, width))
    return sum(1 for _ in wrapped(text, width, words=words))
