"""Keys that work on every screen. Data."""

from tutor.actions.action import Action

ANYWHERE: tuple[Action, ...] = (
    Action(
        "explain",
        ("?", "f1"),
        "help",
        "Explain what is in front of you, and list the keys of this screen.",
        "anywhere",
        rank=90,
        title="Help: what is this, and which keys are there",
    ),
    Action(
        "palette",
        ("ctrl+p", ":"),
        "commands",
        "Find any command or section by typing some of its name.",
        "anywhere",
    ),
    Action(
        "back",
        ("escape",),
        "back",
        "Go one level up: out of the text, then out of the screen. Nothing is lost.",
        "anywhere",
    ),
    Action(
        "interrupt",
        ("ctrl+c",),
        "stop",
        "Stop the running code; pressed again, end the kernel.",
        "anywhere",
        priority=True,
        title="Kernel: stop the running code",
    ),
    Action(
        "restart_kernel",
        ("ctrl+n",),
        "restart and replay",
        "Start the kernel anew and run again what you had finished in this lesson.",
        "anywhere",
        priority=True,
        title="Kernel: restart and replay",
    ),
    Action(
        "open_walk",
        ("f2", "ctrl+g"),
        "walk",
        "Walk through what tutor.step(...) or %%step recorded last.",
        "anywhere",
        priority=True,
        title="Stepper: walk through what was recorded last",
    ),
    Action(
        "suspend",
        ("ctrl+z",),
        "suspend",
        "Give the terminal back to the shell for a while; `fg` there comes back. "
        "In a text, undo.",
        "anywhere",
    ),
    Action(
        "switch_theme",
        (),
        "theme",
        "Change between the colours for a dark and for a light background.",
        "anywhere",
        title="Colours: dark or light background",
    ),
    Action(
        "quit",
        ("ctrl+q",),
        "quit",
        "Leave the tutor. What you typed and where you are is kept.",
        "anywhere",
        priority=True,
        title="Quit",
    ),
)
