"""What a `Finding` means, in one or two sentences, and what can be done about it. Pure.

Of a run of ours the `RunSpec` is given; None: it is a loop of the learner's own, whose
settings nobody knows, and what can be done is told as code.
"""

from tutor.training.findings import Finding
from tutor.training.remedies import Proposal as Proposal
from tutor.training.remedies import mean_instead, number, remedies, too_large
from tutor.training.spec import RaceSpec, RunSpec


def sentence(finding: Finding, spec: RunSpec | None = None) -> str:
    """One or two sentences, with the numbers."""
    return _SENTENCES[finding.kind](finding, spec)


def proposals(finding: Finding, spec: RunSpec | None = None) -> tuple[Proposal, ...]:
    """One or two where a run diverged, one for a mistake; () where nothing is to be
    done."""
    if finding.kind in ("diverged", "not-finite"):
        return remedies(finding, spec)
    if finding.kind == "sum":
        key = "" if spec is None else "loss"
        if spec is not None and not mean_instead(finding, spec.at(finding.iteration)):
            return remedies(finding, spec)[:1]
        words = "take the mean of the errors, not their sum"
        return (Proposal(key, key and "mse", words, does=True),)
    if finding.kind == "zero-init":
        key = "" if spec is None else "init"
        words = "begin with random weights, as torch's layers do by themselves"
        return (Proposal(key, key and "torch", words, does=True),)
    words = _WORDS.get(finding.kind, "").format(text=finding.text or "sigmoid")
    key = "" if spec is None or not spec.slip else "slip"
    return (Proposal(key, key and "", words, does=True),) if words else ()


_WORDS = {
    "no-zero-grad": "clear the gradients in each iteration: optimizer.zero_grad() "
    "before loss.backward()",
    "broadcast": "give the targets the shape of the outputs: y.unsqueeze(1)",
    "double-sigmoid": "give the loss the outputs as they are, without the {text}",
}


def holds(finding: Finding, race: RaceSpec, at: int) -> bool:
    """Whether it is still so with the settings that the race has at iteration `at`."""
    if finding.kind == "engine":
        return race.engine == "compiled"
    if finding.kind == "one-worker":
        return race.workers > 1
    if finding.kind == "sum" and not race.watched:
        now = (run.at(at).loss for run in race.runs if run.name == finding.run)
        return next(now, "sse") == "sse"
    return True


def lines(finding: Finding, spec: RunSpec | None = None) -> list[str]:
    """The sentence, and below it each proposal, for prints."""
    told = [each.after("  try") for each in proposals(finding, spec)]
    return [sentence(finding, spec), *told]


def _who(finding: Finding, spec: RunSpec | None) -> str:
    """The run, in the middle of a sentence."""
    if spec is not None:
        return finding.run
    return "your loop" if finding.run == "loss" else f"your loop {finding.run!r}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:] if text.startswith("your loop") else text


# ------------------------------------------------------------------------- divergence


def _diverged(finding: Finding, spec: RunSpec | None) -> str:
    who = _capital(_who(finding, spec))
    what = f"{who} diverged at iteration {finding.iteration}"
    loss, size = finding.facts.get("loss"), finding.facts.get("size")
    reached = [f"{finding.tensor} had grown to {number(size)}"] if size else []
    reached += [f"the loss to {number(loss)}"] if loss else []
    ended = f": {' and '.join(reached)}." if reached else "."
    return what + ended + _because(finding, spec)


def _not_finite(finding: Finding, spec: RunSpec | None) -> str:
    name = finding.tensor
    if name.endswith(".grad"):
        name = f"the gradient of {name.removesuffix('.grad')}"
    elif name == "loss":
        name = "the loss"
    if finding.iteration == 0:
        what = f"{name} of {_who(finding, spec)}"
        if finding.tensor != "loss":
            what = f"{name} in {_who(finding, spec)}"
        what = f"T{what[1:]}" if what.startswith("the ") else what
        return f"{what} is not finite from iteration 0 on.{_because(finding, spec)}"
    return (
        f"{_capital(_who(finding, spec))} diverged at iteration {finding.iteration}: "
        f"{name} is not finite any more, the first of all tensors."
        f"{_because(finding, spec)}"
    )


def _because(finding: Finding, spec: RunSpec | None) -> str:
    lr, limit = finding.lr, finding.limit
    times = finding.facts.get("times")
    if lr is not None and lr < 0:
        return (
            " The updates add the gradient where they should subtract it (the measured "
            f"learning rate is {number(lr)}): each one goes uphill."
        )
    if spec is not None and too_large(spec):
        return (
            " The first numbers already have squares beyond float32, and no learning rate "
            "can help there."
        )
    if lr is not None and limit is not None and lr > limit:
        return (
            f" The learning rate {number(lr)} is above {number(limit)}, which is "
            f"{_formula(spec)}: from there on every step overshoots further than the "
            "one before."
        )
    if lr is not None and limit is not None:
        now = spec.at(finding.iteration) if spec else None
        batch = now.samples_per_iteration if now else None
        if now is not None and now.samples_per_iteration >= now.points:
            return f" The learning rate {number(lr)} is below {number(limit)}."
        points = (
            "1 point" if batch == 1 else f"{batch} points" if batch else "few points"
        )
        return (
            f" The learning rate {number(lr)} is below {number(limit)} ({_formula(spec)} "
            f"of all the data), but a batch of {points} is often steeper than all the "
            "data together."
        )
    if times is not None:
        return (
            f" Every step overshoots further than the one before: the learning rate is "
            f"{number(times)} times the largest with which it would converge."
        )
    return f" The learning rate is {number(lr)}." if lr is not None else ""


def _formula(spec: RunSpec | None) -> str:
    if spec is not None and spec.optimiser == "momentum":
        return "2 (1 + momentum) / λmax"
    return "2 / λmax"


# --------------------------------------------------------------------------- mistakes


def _no_zero_grad(finding: Finding, spec: RunSpec | None) -> str:
    last = finding.iteration - 1
    return (
        f"At iteration {finding.iteration} of {_who(finding, spec)} the gradient of iteration "
        f"{last} is still in {finding.tensor}.grad, and backward() adds to it. So every "
        "step repeats all those before: the loss swings, and may never come to rest."
    )


def _sum(finding: Finding, spec: RunSpec | None) -> str:
    count = number(finding.facts.get("n", 0))
    said = (
        f"The loss of {_who(finding, spec)} is a sum over {count} errors, so its gradient is "
        f"{count} times that of their mean."
    )
    if finding.lr is None or finding.lr < 0:
        return f"{said} The learning rate would have to be {count} times smaller."
    as_mean = number(finding.lr * finding.facts.get("n", 0))
    return f"{said} Learning rate {number(finding.lr)} acts as {as_mean} would with the mean."


def _broadcast(finding: Finding, spec: RunSpec | None) -> str:
    outputs, errors = finding.shapes
    return (
        f"In {_who(finding, spec)} outputs of shape {outputs} and their targets have different "
        f"shapes, and broadcasting made {errors} errors of them: every output is "
        "compared with every target. That ends with the same output for all points, "
        "the mean of the targets."
    )


def _double_sigmoid(finding: Finding, spec: RunSpec | None) -> str:
    inside = (
        "cross_entropy has a softmax inside"
        if finding.text == "softmax"
        else "the loss already has one inside, or it was applied before"
    )
    return (
        f"In {_who(finding, spec)} the outputs go through a {finding.text or 'sigmoid'} twice: "
        f"{inside}. The probabilities never come near 0 or 1, so the loss stays high."
    )


def _zero_init(finding: Finding, spec: RunSpec | None) -> str:
    count = finding.facts.get("units")
    units = f"The {count:.0f} units" if count else "The units"
    return (
        f"{units} of layer {finding.tensor} in {_who(finding, spec)} began alike and get "
        f"the same updates: at iteration {finding.iteration} they are still alike, and "
        "stay so. Together they can do no more than one unit."
    )


def _device(finding: Finding, spec: RunSpec | None) -> str:
    asked = spec.device if spec else "the device asked for"
    if asked == "auto":
        return f"There is no accelerator: it is computed on {finding.text or 'cpu'}."
    return (
        f"{asked} is not there: {finding.text or 'cpu'} computes {_who(finding, spec)}."
    )


def _restarted(finding: Finding, spec: RunSpec | None) -> str:
    cause = finding.text or "The kernel ended."
    return f"{cause} The race goes on in another kernel, from where it was kept."


def _engine(finding: Finding, spec: RunSpec | None) -> str:
    return f"The eager engine computes {_who(finding, spec)}: {finding.text}."


def _workers(finding: Finding, spec: RunSpec | None) -> str:
    where = f"iteration {finding.iteration}" if finding.iteration else "the beginning"
    return (
        f"{finding.text} ended, and the launcher has started all workers again: "
        f"the race goes on from {where}."
    )


def _one_worker(finding: Finding, spec: RunSpec | None) -> str:
    return f"One worker computes {_who(finding, spec)}: {finding.text}."


_SENTENCES = {
    "diverged": _diverged,
    "not-finite": _not_finite,
    "no-zero-grad": _no_zero_grad,
    "sum": _sum,
    "broadcast": _broadcast,
    "double-sigmoid": _double_sigmoid,
    "zero-init": _zero_init,
    "device": _device,
    "restarted": _restarted,
    "engine": _engine,
    "workers": _workers,
    "one-worker": _one_worker,
}
