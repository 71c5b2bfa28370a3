"""`python -m tutor`: the caller's folder comes last on sys.path, then the command line.

Nothing in that folder may shadow a module of ours or torch. An older Python gets a
sentence, so this file keeps to what it understands.
"""

import sys


def _run() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - no installer has checked a checkout
        version = ".".join(str(number) for number in sys.version_info[:2])
        sys.stderr.write(
            f"The tutor needs Python 3.11 or newer and {sys.executable} is {version}: "
            "start it with a newer one, like python3.12 -m tutor.\n"
        )
        return 3
    if not sys.flags.safe_path:
        sys.path.append(sys.path.pop(0))
    from tutor.cli import main

    return main()


if __name__ == "__main__":
    sys.exit(_run())
