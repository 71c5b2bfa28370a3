"""Where runs compute: what is there, and what a spec's word means here."""

import torch

from tutor.errors import MachineError


def here() -> tuple[str, ...]:
    """Like ("cpu", "cuda:0")."""
    devices = ["cpu"]
    if torch.cuda.is_available():
        devices += [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        devices.append("mps")
    return tuple(devices)


def device(wanted: str) -> torch.device:
    """The one that is meant; of "auto" the first accelerator, else the cpu.

    Raises MachineError, naming what is there, when it is not.
    """
    if wanted == "cpu":
        return torch.device("cpu")
    there = here()
    if wanted == "auto":
        return torch.device(there[1] if len(there) > 1 else "cpu")
    full = "cuda:0" if wanted == "cuda" else wanted
    if full not in there:
        raise MachineError(
            f"There is no device {wanted} here, only {', '.join(there)}: choose one of "
            "these, or auto for the first accelerator that is there."
        )
    return torch.device(full)
