"""Text measured in terminal cells: where a line is cut, how it fills a width."""

from collections.abc import Iterator

from rich.cells import cell_len, set_cell_size


def fitted(text: str, width: int, ellipsis: str) -> str:
    """Exactly `width` cells: filled with spaces, or cut with `ellipsis` (one cell)."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, max(0, width - 1)) + ellipsis[:width]


def wrapped(text: str, width: int) -> Iterator[tuple[int, int]]:
    """Where a line is cut so that no part is wider than `width` cells: start, end."""
    width = max(2, width)
    if text.isascii():
        for start in range(0, max(1, len(text)), width):
            yield start, min(start + width, len(text))
        return
    start = used = 0
    for index, character in enumerate(text):
        cells = cell_len(character)
        if used + cells > width:
            yield start, index
            start, used = index, 0
        used += cells
    yield start, len(text)


def height(text: str, width: int) -> int:
    """How many parts `wrapped` makes."""
    if len(text) * 2 <= width or (len(text) <= width and text.isascii()):
        return 1
    if text.isascii():
        return -(-len(text) // max(2, width))
    return sum(1 for _ in wrapped(text, width))
