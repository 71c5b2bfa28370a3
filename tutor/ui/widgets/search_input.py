"""SearchInput: a line to type a search in; there while a search is on."""

from textual.widgets import Input


class SearchInput(Input):
    """One line, without a border."""

    DEFAULT_CSS = """
    SearchInput {
        border: none; height: 1; padding: 0; width: 1fr;
        &:focus { border: none; }
    }
    """

    def __init__(self, *, blink: bool) -> None:
        super().__init__(placeholder="a word of the section you look for")
        self.cursor_blink = blink
