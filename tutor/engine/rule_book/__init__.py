"""The book of rules: for each op and argument, the local derivative as text and code.

Every number of a trace is torch's own; the book says what is behind it, and is compared
with it. Tested row by row against torch. A row's form is in `row`.
"""

from tutor.engine.rule_book.activations import ACTIVATIONS
from tutor.engine.rule_book.arithmetic import ARITHMETIC
from tutor.engine.rule_book.layers import LAYERS
from tutor.engine.rule_book.losses import LOSSES
from tutor.engine.rule_book.picking import PICKING
from tutor.engine.rule_book.pointwise import POINTWISE
from tutor.engine.rule_book.products import PRODUCTS
from tutor.engine.rule_book.reductions import REDUCTIONS
from tutor.engine.rule_book.row import Bound, Entry, Row, UnknownCallError, bind
from tutor.engine.rule_book.shapes import SHAPES
from tutor.engine.rule_book.windows import WINDOWS

__all__ = ["BOOK", "Bound", "Entry", "Row", "UnknownCallError", "bind", "entry_of"]

BOOK: dict[str, Entry] = {
    **ARITHMETIC,
    **POINTWISE,
    **ACTIVATIONS,
    **REDUCTIONS,
    **PRODUCTS,
    **WINDOWS,
    **LAYERS,
    **LOSSES,
    **SHAPES,
    **PICKING,
}

SAME = {
    "multiply": "mul", "divide": "div", "true_divide": "div", "subtract": "sub",
    "negative": "neg", "pos": "positive", "log_sigmoid": "logsigmoid", "clip": "clamp",
    "absolute": "abs", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "arctan2": "atan2",
    "special_expit": "sigmoid", "special_erf": "erf", "special_erfc": "erfc",
    "special_erfinv": "erfinv", "special_expm1": "expm1", "special_exp2": "exp2",
    "special_log1p": "log1p", "special_logsumexp": "logsumexp",
    "special_softmax": "softmax", "special_log_softmax": "log_softmax",
    "special_gammaln": "lgamma", "special_sinc": "sinc", "special_logit": "logit",
    "special_round": "round", "fix": "trunc", "ger": "outer", "rmod": "rremainder",
    "linalg_matmul": "matmul", "linalg_vecdot": "inner", "row_stack": "vstack",
    "iadd": "add", "isub": "sub", "imul": "mul", "idiv": "div", "itruediv": "div",
    "_threshold": "threshold", "max_pool2d_with_indices": "max_pool2d",
    "max_pool1d_with_indices": "max_pool1d", "ipow": "pow", "imod": "remainder",
}  # fmt: skip
"""torch's other names for an op of the book."""


def entry_of(op: str) -> Entry | None:
    """The entry of an op; `add_` is `add`. None: it is not in the book."""
    found = BOOK.get(SAME.get(op, op))
    if found is None and op.endswith("_"):
        op = op.rstrip("_")
        found = BOOK.get(SAME.get(op, op))
    return found
