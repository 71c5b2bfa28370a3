"""Words and cells in ASCII: what `--ascii` and LANG=C show for everything else.

`ascii_text` may change the length and reads well (∂f/∂x is df/dx); `ascii_cells` never
changes the width and is only the last gate before the terminal, after the glyph table.
"""

import unicodedata

from rich.cells import cell_len

_WORDS = {
    "∂": "d", "∇": "grad", "Σ": "sum", "∑": "sum", "∏": "prod", "√": "sqrt",
    "∞": "inf", "∈": " in ", "∉": " not in ", "±": "+-", "×": "*", "·": "*", "⋅": "*",
    "÷": "/", "−": "-", "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~=", "≡": "==",
    "→": "->", "←": "<-", "↔": "<->", "⇒": "=>", "⇐": "<=", "↦": "->",
    "↑": "^", "↓": "v", "…": "...", "–": "-", "—": "-", "‑": "-", "•": "*",
    "‘": "'", "’": "'", "“": '"', "”": '"', "«": '"', "»": '"', "′": "'", "″": "''",
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "eps", "η": "eta",
    "θ": "theta", "λ": "lambda", "μ": "mu", "µ": "u", "π": "pi", "ρ": "rho",
    "σ": "sigma", "τ": "tau", "φ": "phi", "ω": "omega", "Δ": "Delta", "Θ": "Theta",
    "Φ": "Phi", "Ω": "Omega", "ŷ": "y_hat", "ℝ": "R", "ᵀ": "^T", "ᵗ": "^t",
    "ß": "ss", "æ": "ae", "ø": "o", "€": "EUR", "°": " deg",
    "✓": "v", "✗": "x", "▌": "|", "▏": "_",
}  # fmt: skip
_NAMES = frozenset("∇Σ∑∏√")
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱ", "0123456789+-ni", strict=True))
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉ᵢⱼₙₜₖ", "0123456789ijntk", strict=True))

_CELLS = {
    "▐": "|", "▎": "|", "█": "#", "▊": "#", "▁": "_", "▔": "-", "◦": "o",
    "▹": ">", "▶": ">", "►": ">", "◃": "<", "◄": "<", "▲": "^", "▼": "v",
    "◆": "@", "◇": "o", "■": "#", "□": "o", "←": "<", "→": ">", "↵": "<",
    "—": "-", "−": "-", "×": "x", "∂": "d", "≈": "~", "²": "2", "³": "3",
    "¹": "1", "⁰": "0", "‘": "'", "’": "'", "“": '"', "”": '"',
}  # fmt: skip


def ascii_text(words: str) -> str:
    """`words` in ASCII, as readable as can be; x² is x^2, an unknown sign is ?."""
    if words.isascii():
        return words
    out: list[str] = []
    raised = False
    for position, character in enumerate(words):
        if character in _SUPERSCRIPTS:
            out.append(_SUPERSCRIPTS[character] if raised else "^")
            if not raised:
                out.append(_SUPERSCRIPTS[character])
            raised = True
            continue
        raised = False
        if character in _SUBSCRIPTS:
            out.append("_" + _SUBSCRIPTS[character])
        elif character in _WORDS:
            out.append(_WORDS[character])
            after = words[position + 1 : position + 2]
            if character in _NAMES and after.isalnum() and after not in _SUBSCRIPTS:
                out.append(" ")
        else:
            out.append(_letter(character) or _cell(character))
    return "".join(out)


def ascii_cells(text: str) -> str:
    """`text` in ASCII, exactly as many cells wide."""
    return "".join(
        character if character.isascii() else _cell(character) for character in text
    )


def _letter(character: str) -> str:
    """é as e; "" for what is no decorated ASCII."""
    decomposed = unicodedata.normalize("NFKD", character)
    return "".join(part for part in decomposed if part.isascii())


def _cell(character: str) -> str:
    if character in _CELLS:
        return _CELLS[character]
    width = cell_len(character)
    if width == 1:
        code = ord(character)
        if 0x2500 <= code <= 0x257F:
            return _line(character)
        if 0x2580 <= code <= 0x259F:
            return "#"
        if 0x2800 <= code <= 0x28FF:
            return " " if code == 0x2800 else "*"
        letter = _letter(character)
        return letter if len(letter) == 1 else "?"
    return "?" * width


def _line(character: str) -> str:
    name = unicodedata.name(character)
    if "DIAGONAL" in name:
        return "/"
    across = "HORIZONTAL" in name or "LEFT" in name or "RIGHT" in name
    down = "VERTICAL" in name or "UP" in name or "DOWN" in name
    return "+" if across and down else "-" if across else "|"
