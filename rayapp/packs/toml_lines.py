"""Where each key and value of a TOML document stands: the parser of the standard library gives values without their lines.

The document must already have been parsed, so that this scanner only has to follow it, never to judge it.
"""

import re
from bisect import bisect_right

Path = tuple[str | int, ...]

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_STRING = re.compile(
    r'''"""(?:[^"\\]|\\.|"(?!""))*"{3,5}|\'\'\'(?:[^']|'(?!''))*'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*\'''',
    re.DOTALL,
)
_BARE = re.compile(r"[^,\]}\n#]+")


class TomlLines:
    """One-based lines of a document's tables, keys and array items, by path: ``("rule", 0, "patterns", 2)``."""

    def __init__(self, document: str) -> None:
        """Follow ``document``, which must be valid TOML, once from end to end."""
        self._text = document
        self._starts = [0, *(match.end() for match in re.finditer(r"\n", document))]
        self._lines: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}
        self._follow()

    def line(self, *path: str | int) -> int:
        """Give the line of ``path``, else of the nearest thing around it that is in the document, else 1."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._lines:
                return self._lines[path[:length]]
        return 1

    def _follow(self) -> None:
        table: Path = ()
        at = self._past_blank(0)
        while at < len(self._text):
            if self._text.startswith("[[", at):
                path, at = self._key(at + 2)
                table = self._begin_item(self._absolute(path))
                self._note(table, at)
                at += 2
            elif self._text[at] == "[":
                path, at = self._key(at + 1)
                table = self._absolute(path)
                self._note(table, at)
                at += 1
            else:
                at = self._pair(table, at)
            at = self._past_blank(at)

    def _begin_item(self, array: Path) -> Path:
        index = self._counts.get(array, 0)
        self._counts[array] = index + 1
        return (*array, index)

    def _absolute(self, path: Path) -> Path:
        """Enter the last item of each array of tables on the way to the last part of ``path``."""
        found: Path = ()
        for part in path[:-1]:
            found = (*found, part)
            if found in self._counts:
                found = (*found, self._counts[found] - 1)
        return (*found, path[-1])

    def _pair(self, table: Path, at: int) -> int:
        path, after = self._key(at)
        self._note((*table, *path), at)
        return self._value((*table, *path), self._past_space(after + 1))

    def _key(self, at: int) -> tuple[Path, int]:
        """Read a dotted key; give its parts and the place of the first character after it that is not a space."""
        parts: list[str] = []
        while True:
            match = _KEY.match(self._text, self._past_space(at))
            if match is None:
                message = f"not a TOML key at {at}"
                raise ValueError(message)
            parts.append(match.group().strip("\"'"))
            at = self._past_space(match.end())
            if self._text[at : at + 1] != ".":
                return tuple(parts), at
            at += 1

    def _value(self, path: Path, at: int) -> int:
        """Note what ``path`` holds and give the place after it."""
        if self._text[at] == "[":
            return self._array(path, at + 1)
        if self._text[at] == "{":
            return self._inline_table(path, at + 1)
        match = (_STRING if self._text[at] in "\"'" else _BARE).match(self._text, at)
        return match.end() if match else at + 1

    def _array(self, path: Path, at: int) -> int:
        index = 0
        at = self._past_blank(at)
        while self._text[at] != "]":
            self._note((*path, index), at)
            at = self._past_blank(self._value((*path, index), at))
            at = self._past_blank(at + 1) if self._text[at] == "," else at
            index += 1
        return at + 1

    def _inline_table(self, path: Path, at: int) -> int:
        at = self._past_blank(at)
        while self._text[at] != "}":
            at = self._past_blank(self._pair(path, at))
            at = self._past_blank(at + 1) if self._text[at] == "," else at
        return at + 1

    def _note(self, path: Path, at: int) -> None:
        line = bisect_right(self._starts, at)
        while path and path not in self._lines:
            self._lines[path] = line
            path = path[:-1]

    def _past_space(self, at: int) -> int:
        match = _SPACE.match(self._text, at)
        return match.end() if match else at

    def _past_blank(self, at: int) -> int:
        match = _BLANK.match(self._text, at)
        return match.end() if match else at
