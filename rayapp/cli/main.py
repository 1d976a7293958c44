"""The entry of the command ``rayapp``."""


def entry() -> int:
    """Run the command line; replaced soon."""
    raise SystemExit("rayapp: the command line is being written")
