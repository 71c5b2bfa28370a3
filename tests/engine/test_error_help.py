"""Each error of the table really comes about, and is given its own help."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - as everybody calls it
from torch import nn

from tutor.error_help import TABLE, error_help

pytestmark = pytest.mark.filterwarnings("ignore")


def leaf(*shape: int) -> torch.Tensor:
    return torch.ones(shape, requires_grad=True)


def backward_twice() -> None:
    y = (leaf(2) ** 2).sum()
    y.backward()
    y.backward()


def leaf_in_place() -> None:
    x = leaf(2)
    x += 1


def saved_value_changed() -> None:
    y = leaf(3).sigmoid()
    y += 1
    y.sum().backward()


def inference_tensor_in_a_graph() -> None:
    with torch.inference_mode():
        q = torch.ones(2)
    (q * leaf(2)).sum().backward()


def fraction_into_integers() -> None:
    a = torch.arange(3)
    a += 0.5


def write_into_expanded() -> None:
    a = torch.ones(1, 3).expand(2, 3)
    a += 1


def truth_of_many() -> None:
    if torch.ones(2) > 0:
        raise AssertionError


class NoInit(nn.Module):
    def __init__(self) -> None:
        self.layer = nn.Linear(1, 1)


class NoForward(nn.Module):
    pass


def endless() -> None:
    endless()


t: Any = torch
ERRORS: dict[str, Callable[[], object]] = {
    "backward through the graph a second time": backward_twice,
    "grad can be implicitly created": lambda: (leaf(2) * 2).backward(),
    "does not require grad and does not": lambda: torch.ones(2).sum().backward(),
    "a leaf Variable that requires grad": leaf_in_place,
    "has been modified by an inplace": saved_value_changed,
    "floating point and complex": lambda: torch.tensor([1, 2], requires_grad=True),
    "floating point dtype can": lambda: torch.arange(3).requires_grad_(),
    "Inference tensors cannot be saved": inference_tensor_in_a_graph,
    "Can't call numpy()": lambda: leaf(2).numpy(),
    "support the deepcopy protocol": lambda: copy.deepcopy(leaf(2) * 2),
    "unsupported operand type(s) for *: 'NoneType'": lambda: t.ones(2).grad * 0.1,
    "'float' and 'NoneType'": lambda: 0.1 * t.ones(2).grad,
    "'NoneType' object has no attribute 'zero_'": lambda: t.ones(2).grad.zero_(),
    "mat1 and mat2 shapes": lambda: torch.ones(4, 5) @ torch.ones(2, 3),
    "both arguments to linear": lambda: nn.Linear(1, 1)(torch.tensor(1.0)),
    "size mismatch, got input": lambda: torch.ones(2, 3) @ torch.ones(2),
    "inconsistent tensor size": lambda: torch.ones(2) @ torch.ones(3),
    "Expected size for first two": lambda: torch.ones(2, 3, 4) @ torch.ones(2, 3, 4),
    "must match the size of tensor b": lambda: torch.ones(3) + torch.ones(4),
    "view size is not compatible": lambda: torch.ones(2, 3).t().view(6),
    "is invalid for input of size": lambda: torch.arange(600).reshape(3, 4, 5, 11),
    "only one dimension can be": lambda: torch.arange(6).reshape(-1, -1),
    "Sizes of tensors must match": lambda: t.cat([t.ones(2, 3), t.ones(2, 4)]),
    "stack expects each tensor": lambda: t.stack([t.ones(2), t.ones(3)]),
    "desired ordering": lambda: torch.ones(2, 3).permute(1, 0, 2),
    "t() expects a tensor": lambda: torch.ones(2, 3, 4).t(),
    "Dimension out of range": lambda: torch.ones(3).sum(dim=1),
    "expected sequence of length": lambda: torch.tensor([[1, 2], [3]]),
    "must be the same as input size": lambda: F.binary_cross_entropy_with_logits(
        torch.ones(4, 1), torch.ones(4)
    ),
    "is out of bounds for dimension": lambda: torch.ones(3)[3],
    "too many indices": lambda: torch.ones(3)[0, 0],
    "only integers, slices": lambda: t.ones(3)[1.0],
    "The shape of the mask": lambda: torch.ones(3)[torch.tensor([True, False])],
    "invalid index of a 0-dim": lambda: torch.tensor(1)[0],
    "mat1 and mat2 must have the same": lambda: nn.Linear(2, 2)(t.ones(3, 2).double()),
    "to have the same dtype": lambda: torch.ones(2, 2) @ torch.ones(2, 2).double(),
    "input tensors must have": lambda: torch.ones(2, 2) @ torch.ones(2).double(),
    "expected both vectors": lambda: torch.ones(2) @ torch.ones(2).double(),
    "could not infer output dtype": lambda: torch.arange(3).mean(),
    "can't be cast to the desired": fraction_into_integers,
    "expected target dtype": lambda: F.cross_entropy(torch.ones(4, 3), torch.ones(4)),
    "Boolean value of Tensor": truth_of_many,
    "cannot be converted to Scalar": lambda: torch.ones(2).item(),
    "only one element tensors": lambda: float(torch.ones(2)),
    "more than one element of the written-to": write_into_expanded,
    "of a 0-d tensor": lambda: len(torch.tensor(1)),
    "tensor() takes 1 positional": lambda: t.tensor(1, 2),
    "expected np.ndarray": lambda: t.from_numpy([1, 2]),
    "'torch.Size' object": lambda: t.ones(2).shape(),
    "'Tensor' object is not callable": lambda: t.ones(2)(1),
    "must be Tensor, not": lambda: t.relu([1, 2]),
    "device type at start": lambda: torch.ones(2).to("gpu"),
    "is not on the expected": lambda: torch.ones(2) + torch.ones(2, device="meta"),
    "device type tensor to numpy": lambda: torch.ones(2, device="meta").numpy(),
    "is not a Module subclass": lambda: nn.Sequential(t.nn.Sigmoid),
    "__init__() takes 1 positional": lambda: t.nn.Sigmoid(torch.ones(2)),
    "before Module.__init__() call": NoInit,
    "is missing the required": lambda: NoForward()(torch.ones(2)),
    "got an empty parameter list": lambda: torch.optim.SGD([], lr=0.1),
    "can't optimize a non-leaf": lambda: torch.optim.SGD([leaf(2) * 2], lr=0.1),
    "name 'np' is not defined": lambda: eval("np.array"),
    "name 'nn' is not defined": lambda: eval("nn.Linear", {}),
    "is not defined": lambda: eval("nowhere"),
    "Maybe you meant '=='": lambda: compile("if x = 1: pass", "", "exec"),
    "was never closed": lambda: compile("f(1", "", "exec"),
    "expected ':'": lambda: compile("def f()\n    pass", "", "exec"),
    "expected an indented block": lambda: compile("def f():\npass", "", "exec"),
    "unindent does not match": lambda: compile("if 1:\n    a\n  b", "", "exec"),
    "unexpected indent": lambda: compile("a\n  b", "", "exec"),
    "maximum recursion depth": endless,
}
ELSEWHERE = {
    "Torch not compiled with CUDA enabled": not torch.backends.cuda.is_built(),
    "is not linked with support for mps devices": not torch.backends.mps.is_built(),
    "Expected all tensors to be on the same device": torch.cuda.is_available(),
}
"""Errors that only some builds or machines can bring about."""


@pytest.mark.parametrize("part", ERRORS)
def test_the_error_comes_about_and_is_helped(part: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any; the table says which
        ERRORS[part]()

    ename, evalue = type(caught.value).__name__, str(caught.value)
    about = [each for each in TABLE if part in each.part]
    entry = min(about, key=lambda each: len(each.part))
    assert error_help(ename, evalue) == entry.say, f"{ename}: {evalue}"


def test_each_entry_is_brought_about_by_a_test() -> None:
    tested = [each.part for each in TABLE if any(part in each.part for part in ERRORS)]
    untested = {each.part for each in TABLE} - set(tested)

    assert untested == set(ELSEWHERE)


@pytest.mark.skipif(torch.backends.cuda.is_built(), reason="this torch has CUDA")
def test_cuda_where_there_is_none() -> None:
    with pytest.raises(AssertionError) as caught:
        torch.ones(2).to("cuda")

    said = error_help("AssertionError", str(caught.value))
    assert said is not None
    assert "built for the CPU" in said


@pytest.mark.skipif(torch.backends.mps.is_built(), reason="this torch has MPS")
def test_mps_where_there_is_none() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.ones(2).to("mps")

    assert error_help("RuntimeError", str(caught.value)) is not None


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_tensors_on_two_devices() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.ones(2, device="cuda") + torch.ones(2)

    said = error_help("RuntimeError", str(caught.value))
    assert said is not None
    assert "another on the GPU" in said


def test_other_errors_get_no_help() -> None:
    assert error_help("KeyError", "'a'") is None
    assert error_help("ValueError", "grad can be implicitly created") is None


def test_the_help_is_short_and_whole_sentences() -> None:
    for entry in TABLE:
        assert len(entry.say) <= 170, entry.say
        assert entry.say.endswith((".", "?")), entry.say
