"""Error help: what an exception of PyTorch means and what to do, in a sentence or two.

Keyed on the exception's type and a short part of its message that is stable across
versions; a test brings about each of them on the installed torch. Pure.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Help:
    """What to say of one kind of error."""

    ename: str
    """The exception's type."""
    part: str
    """What its message contains."""
    say: str


def error_help(ename: str, evalue: str) -> str | None:
    """The help for an exception of this type name and message; None: none is known.

    The first entry that fits wins.
    """
    for help_ in TABLE:
        if help_.ename == ename and help_.part in evalue:
            return help_.say
    return None


TABLE = (
    # -- the graph and its gradients
    Help(
        "RuntimeError",
        "backward through the graph a second time",
        "The first backward pass freed what the graph had saved: compute the output "
        "again. In a loop, something of the last round is still attached: detach it.",
    ),
    Help(
        "RuntimeError",
        "grad can be implicitly created only for scalar outputs",
        "backward() starts from one number: reduce with .sum() or .mean(), or pass a "
        "gradient of the output's shape.",
    ),
    Help(
        "RuntimeError",
        "does not require grad and does not have a grad_fn",
        "No leaf with requires_grad=True leads here: it was never set, or the graph was "
        "cut by no_grad(), detach(), .item() or a new tensor.",
    ),
    Help(
        "RuntimeError",
        "a leaf Variable that requires grad is being used in an in-place operation",
        "Autograd forbids changing a leaf it watches: put the update inside "
        "`with torch.no_grad():`.",
    ),
    Help(
        "RuntimeError",
        "has been modified by an inplace operation",
        "A value saved for the backward pass was overwritten: write y = y + 1 where you "
        "wrote y += 1.",
    ),
    Help(
        "RuntimeError",
        "floating point and complex dtype can require gradients",
        "These are integers, and only floats have gradients: write 3. for 3, or give "
        "dtype=torch.float32.",
    ),
    Help(
        "RuntimeError",
        "floating point dtype can require gradients",
        "These are integers, and only floats have gradients: write 3. for 3, or give "
        "dtype=torch.float32.",
    ),
    Help(
        "RuntimeError",
        "Inference tensors cannot be saved for backward",
        "What inference_mode() made may not be used in a graph: take no_grad() where "
        "training goes on, or .clone() it afterwards.",
    ),
    Help(
        "RuntimeError",
        "Can't call numpy() on Tensor that requires grad",
        "The graph cannot follow numpy: leave it first, with .detach().numpy().",
    ),
    Help(
        "RuntimeError",
        "support the deepcopy protocol",
        "Only a leaf can be deep-copied: use .detach().clone().",
    ),
    Help(
        "TypeError",
        "unsupported operand type(s) for *: 'NoneType' and",
        "A value is None. If it is a .grad: backward() has not been called, the tensor "
        "is no leaf, or the gradient was cleared.",
    ),
    Help(
        "TypeError",
        "unsupported operand type(s) for *: 'float' and 'NoneType'",
        "A value is None. If it is a .grad: backward() has not been called, the tensor "
        "is no leaf, or the gradient was cleared.",
    ),
    Help(
        "AttributeError",
        "'NoneType' object has no attribute 'zero_'",
        ".grad is None until the first backward pass reaches this leaf.",
    ),
    # -- shapes
    Help(
        "RuntimeError",
        "mat1 and mat2 shapes cannot be multiplied",
        "The inner sizes must agree: (n, k) times (k, m). For a Linear the second pair "
        "is in × out, so features come last in your input.",
    ),
    Help(
        "RuntimeError",
        "both arguments to linear need to be at least 1D",
        "A Linear wants its features on an axis: x.reshape(1) makes one.",
    ),
    Help(
        "RuntimeError",
        "size mismatch, got input",
        "A matrix times a vector: the vector needs as many elements as the matrix has "
        "columns.",
    ),
    Help(
        "RuntimeError",
        "inconsistent tensor size",
        "The dot product needs two vectors of the same length.",
    ),
    Help(
        "RuntimeError",
        "Expected size for first two dimensions of batch2",
        "The inner sizes must agree in each pair of matrices: transpose one with .mT.",
    ),
    Help(
        "RuntimeError",
        "must match the size of tensor b",
        "Broadcasting lines the shapes up at their right ends: each pair of sizes must "
        "be equal, or one of them 1.",
    ),
    Help(
        "RuntimeError",
        "view size is not compatible",
        "The elements do not lie in memory in that order (a transpose does that): "
        ".reshape() copies where view() cannot.",
    ),
    Help(
        "RuntimeError",
        "is invalid for input of size",
        "The sizes must multiply to the number of elements; one of them may be -1, and "
        "is then computed.",
    ),
    Help(
        "RuntimeError",
        "only one dimension can be inferred",
        "At most one size may be -1: the others must say what is left for it.",
    ),
    Help(
        "RuntimeError",
        "Sizes of tensors must match except in dimension",
        "cat joins along one axis; all others must have the same size.",
    ),
    Help(
        "RuntimeError",
        "stack expects each tensor to be equal size",
        "stack makes a new axis, so all shapes must be the same; cat joins along one "
        "that is there.",
    ),
    Help(
        "RuntimeError",
        "does not match the length of the desired ordering",
        "permute wants every axis exactly once: as many numbers as the tensor has axes.",
    ),
    Help(
        "RuntimeError",
        "t() expects a tensor with <= 2 dimensions",
        "t() is for matrices: .mT swaps the last two axes, permute any.",
    ),
    Help(
        "IndexError",
        "Dimension out of range",
        "That axis does not exist: they count from 0, and -1 is the last.",
    ),
    Help(
        "ValueError",
        "expected sequence of length",
        "A tensor has no ragged rows: all lists at one level need the same length.",
    ),
    Help(
        "ValueError",
        "must be the same as input size",
        "Prediction and target need one shape: look for an (n, 1) against an (n,).",
    ),
    # -- indices
    Help(
        "IndexError",
        "is out of bounds for dimension",
        "Indices count from 0 up to the size minus 1; -1 is the last.",
    ),
    Help(
        "IndexError",
        "too many indices for tensor",
        "There are more indices than axes: look at .shape.",
    ),
    Help(
        "IndexError",
        "only integers, slices",
        "An index is an integer, a slice, None, a mask, or a tensor of integers.",
    ),
    Help(
        "IndexError",
        "The shape of the mask",
        "A mask needs the shape of what it selects from: compare the tensor itself.",
    ),
    Help(
        "IndexError",
        "invalid index of a 0-dim tensor",
        "A tensor of shape () has no axis to index: .item() takes its number out.",
    ),
    # -- dtypes and single values
    Help(
        "RuntimeError",
        "mat1 and mat2 must have the same dtype",
        "Weights are float32: convert your data with .float(). numpy's floats come as "
        "float64, whole numbers as int64.",
    ),
    Help(
        "RuntimeError",
        "to have the same dtype, but got",
        "A matrix product wants one dtype on both sides: convert one with .float().",
    ),
    Help(
        "RuntimeError",
        "input tensors must have the same dtype",
        "A matrix product wants one dtype on both sides: convert one with .float().",
    ),
    Help(
        "RuntimeError",
        "expected both vectors to have same dtype",
        "A dot product wants one dtype on both sides: convert one with .float().",
    ),
    Help(
        "RuntimeError",
        "could not infer output dtype",
        "A mean of integers is no integer: call .float() first.",
    ),
    Help(
        "RuntimeError",
        "can't be cast to the desired output type",
        "The tensor keeps its dtype, and an integer one cannot take fractions in place: "
        "make it float first.",
    ),
    Help(
        "RuntimeError",
        "expected target dtype to be Long",
        "cross_entropy wants class numbers as integers: call .long() on the target.",
    ),
    Help(
        "RuntimeError",
        "Boolean value of Tensor with more than one value is ambiguous",
        "`if` wants one truth: use .any() or .all(), or torch.where element by element.",
    ),
    Help(
        "RuntimeError",
        "cannot be converted to Scalar",
        ".item() is for one element: reduce first, or use .tolist().",
    ),
    Help(
        "ValueError",
        "only one element tensors can be converted to Python scalars",
        "Only a tensor of one element is a number: reduce first, or use .tolist().",
    ),
    Help(
        "RuntimeError",
        "more than one element of the written-to tensor",
        "expand() shows one element many times, so it cannot be written to: .clone() "
        "it first.",
    ),
    Help(
        "TypeError",
        "of a 0-d tensor",
        "A tensor of shape () is a single number: .item() takes it out.",
    ),
    Help(
        "TypeError",
        "tensor() takes 1 positional argument",
        "torch.tensor takes one list: torch.tensor([1, 2]).",
    ),
    Help(
        "TypeError",
        "expected np.ndarray",
        "from_numpy wants a numpy array; torch.tensor takes lists.",
    ),
    Help(
        "TypeError",
        "'torch.Size' object is not callable",
        ".shape is not a function: write x.shape, or x.size().",
    ),
    Help(
        "TypeError",
        "'Tensor' object is not callable",
        "A tensor is followed by (...): is an operator missing, or does a variable "
        "hide a function?",
    ),
    Help(
        "TypeError",
        "must be Tensor, not",
        "That function wants a tensor: wrap the value in torch.tensor(...).",
    ),
    # -- devices
    Help(
        "AssertionError",
        "Torch not compiled with CUDA enabled",
        "This torch was built for the CPU: choose the device with "
        "torch.cuda.is_available().",
    ),
    Help(
        "RuntimeError",
        "device type at start of device string",
        'That is no device: they are called "cpu", "cuda", "cuda:0", "mps", "meta".',
    ),
    Help(
        "RuntimeError",
        "is not linked with support for mps devices",
        "This torch has no Apple GPU support: ask torch.backends.mps.is_available().",
    ),
    Help(
        "RuntimeError",
        "Expected all tensors to be on the same device",
        "One tensor is on the CPU, another on the GPU: move one with .to(device).",
    ),
    Help(
        "RuntimeError",
        "is not on the expected device",
        "The tensors live on different devices: move one with .to(device).",
    ),
    Help(
        "TypeError",
        "device type tensor to numpy",
        "numpy knows the CPU only: .detach().cpu().numpy().",
    ),
    # -- modules and optimisers
    Help(
        "TypeError",
        "is not a Module subclass",
        "The class stands where an instance belongs: nn.Sigmoid(), with parentheses.",
    ),
    Help(
        "TypeError",
        "__init__() takes 1 positional argument but 2 were given",
        "Make the module first, then call it: nn.Sigmoid()(x).",
    ),
    Help(
        "AttributeError",
        "before Module.__init__() call",
        "Begin your __init__ with super().__init__().",
    ),
    Help(
        "NotImplementedError",
        'is missing the required "forward" function',
        "A module computes in its forward method: is it there, and spelt so?",
    ),
    Help(
        "ValueError",
        "optimizer got an empty parameter list",
        "The model has no parameters: are its layers attributes, set after "
        "super().__init__()?",
    ),
    Help(
        "ValueError",
        "can't optimize a non-leaf Tensor",
        "An optimiser changes leaves: give it the tensor you made, not one computed "
        "from it.",
    ),
    # -- names
    Help(
        "NameError",
        "name 'np' is not defined",
        "Import it first: import numpy as np.",
    ),
    Help(
        "NameError",
        "name 'nn' is not defined",
        "Import it first: from torch import nn.",
    ),
    Help(
        "NameError",
        "is not defined",
        "Is it spelt right, and was the cell that makes it run?",
    ),
    Help(
        "SyntaxError",
        "invalid syntax. Maybe you meant '==' or ':='",
        "One = gives a name, == compares.",
    ),
    Help(
        "SyntaxError",
        "was never closed",
        "Count the brackets: one that opens here has no partner.",
    ),
    Help(
        "SyntaxError",
        "expected ':'",
        "The line that begins a block ends in a colon.",
    ),
    Help(
        "IndentationError",
        "expected an indented block",
        "The body of a function, loop or with goes four spaces to the right.",
    ),
    Help(
        "IndentationError",
        "unindent does not match",
        "The lines of one block begin in the same column: four spaces each step.",
    ),
    Help(
        "IndentationError",
        "unexpected indent",
        "This line begins further right than its block.",
    ),
    Help(
        "RecursionError",
        "maximum recursion depth exceeded",
        "The function calls itself without end.",
    ),
)
