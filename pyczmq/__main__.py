"""The command ``python -m pyczmq``: what of CZMQ this pyczmq reaches."""

from __future__ import annotations

import argparse


def main() -> None:
    """Run a command."""
    parser = argparse.ArgumentParser(prog="python -m pyczmq", description="The whole of CZMQ for Python.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    coverage = commands.add_parser(
        "coverage",
        help="count, class by class, what the loaded libczmq and libzmq export and what of it is reached from Python",
    )
    coverage.add_argument("--markdown", action="store_true", help="as the page docs/coverage.md")
    arguments = parser.parse_args()

    from . import _coverage

    show = _coverage.markdown if arguments.markdown else _coverage.text
    print(show(_coverage.count()), end="" if arguments.markdown else "\n")


if __name__ == "__main__":
    main()
