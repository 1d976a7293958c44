"""The parser of the command line: what it does not know, the command that was meant says itself, with the word that was likely meant."""

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

from rayapp.errors import InvalidInput


class WrongUseError(Exception):
    """An option has a value that it cannot have: nothing was done."""


@contextmanager
def options_read() -> Iterator[None]:
    """Take what is wrong with a value in the context for wrong use of the command, and not for a fault of its input."""
    try:
        yield
    except InvalidInput as error:
        raise WrongUseError(str(error)) from error


class CommandParser(ArgumentParser):
    """argparse, but that an unknown option is answered with the usage of its command and not with that of all commands."""

    def parse_known_args(self, *words: Any, **named: Any) -> Any:  # noqa: ANN401 - argparse's own
        """Parse; ends the program with code 2 where something is left."""
        found, left = super().parse_known_args(*words, **named)
        if left:
            option = left[0].partition("=")[0]
            likely = get_close_matches(option, self._option_string_actions, 1) if option.startswith("-") else []
            self.error(f"unrecognized arguments: {' '.join(left)}" + (f"; {likely[0]} was likely meant" if likely else ""))
        return found, left
