"""A file sent as browsers and `curl -F` send it, ``multipart/form-data`` (RFC 7578): its bytes go on as they come, fields are kept."""

from collections.abc import AsyncIterable, AsyncIterator

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from rayapp.serve.problems import MalformedBody, Place

MEDIA_TYPE = "multipart/form-data"
MOST_PARTS = 32
MOST_FIELD_BYTES = 100_000
"""Of all fields together."""


class FormCutter:
    """Cuts one form: ``feed`` gives the bytes of its file, and ``fields`` has what else was said when the end has come."""

    def __init__(self, content_type: str) -> None:
        """Take the header that names the boundary; raises ``MalformedBody`` where it does not."""
        _, options = parse_options_header(content_type)
        self.fields: dict[str, str] = {}
        self.filename = ""
        self.begun = False
        """Whether the file's first byte may come now."""
        self._ended = False
        self._parts = self._kept = 0
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""
        self._field: str | None = None
        self._text = bytearray()
        self._out: list[bytes] = []
        self._parser = self._begun(options.get(b"boundary", b""))

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next piece of the body; raises ``MalformedBody``."""
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise MalformedBody(f"the form cannot be read: {error}") from error
        out, self._out = self._out, []
        return out

    def end(self) -> None:
        """Say that this was all; raises ``MalformedBody`` where the end or the file is missing."""
        if not self._ended:
            raise MalformedBody("the form breaks off: its end is missing")
        if not self.begun:
            raise MalformedBody("the form has no file", [Place("#/file", "a part with a filename is needed")])

    def _begun(self, boundary: bytes) -> MultipartParser:
        if not boundary:
            raise MalformedBody("the Content-Type names no boundary")
        events = ("part_begin", "header_field", "header_value", "header_end", "headers_finished", "part_data", "part_end", "end")
        callbacks = {f"on_{event}": getattr(self, f"_on_{event}") for event in events}
        try:
            return MultipartParser(boundary, callbacks)  # type: ignore[arg-type]  # a TypedDict of these names
        except FormParserError as error:
            raise MalformedBody(f"the form cannot be read: {error}") from error

    def _on_part_begin(self) -> None:
        self._parts += 1
        self._headers = {}
        if self._parts > MOST_PARTS:
            raise MalformedBody(f"the form has more than {MOST_PARTS} parts")

    def _on_header_field(self, content: bytes, start: int, end: int) -> None:
        self._name += content[start:end]

    def _on_header_value(self, content: bytes, start: int, end: int) -> None:
        self._value += content[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _on_headers_finished(self) -> None:
        _, told = parse_options_header(self._headers.get(b"content-disposition", b"").decode("latin-1"))
        if b"filename" not in told:
            self._field = _text(told.get(b"name", b""))
            return
        if self.begun:
            raise MalformedBody("the form has more than one file: send a request for each")
        self.begun, self.filename, self._field = True, _text(told[b"filename"]), None

    def _on_part_data(self, content: bytes, start: int, end: int) -> None:
        if self._field is None:
            self._out.append(content[start:end])
            return
        self._kept += end - start
        if self._kept > MOST_FIELD_BYTES:
            raise MalformedBody(f"the form's fields have more than {MOST_FIELD_BYTES:,} bytes: rows belong into a file")
        self._text += content[start:end]

    def _on_part_end(self) -> None:
        if self._field is not None:
            self.fields[self._field] = _text(bytes(self._text))
            self._text.clear()

    def _on_end(self) -> None:
        self._ended = True


class FormFile:
    """The file of a form that is still arriving."""

    def __init__(self, cutter: FormCutter, pieces: AsyncIterable[bytes]) -> None:
        """Take what cuts, and the body."""
        self._cutter = cutter
        self._bodies = aiter(pieces)
        self._first: list[bytes] = []

    async def begin(self) -> str:
        """Read up to the file; gives its name. Raises ``MalformedBody`` where there is none."""
        async for piece in self._bodies:
            self._first = self._cutter.feed(piece)
            if self._cutter.begun:
                return self._cutter.filename
        self._cutter.end()
        return self._cutter.filename

    async def pieces(self) -> AsyncIterator[bytes]:
        """Give the file's bytes; afterwards all fields are known."""
        for part in self._first:
            yield part
        async for piece in self._bodies:
            for part in self._cutter.feed(piece):
                yield part
        self._cutter.end()


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise MalformedBody("the form has a field that is not UTF-8") from error
