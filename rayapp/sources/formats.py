"""Which format bytes are in, by how they begin."""

import re
from typing import Literal

from rayapp.errors import InvalidInput

Format = Literal["csv", "jsonl", "parquet", "ofx", "camt.053", "mt940"]

LOOKED_AT = 4096
PARQUET = b"PAR1"
STATEMENTS = frozenset({"ofx", "camt.053", "mt940"})
OFX = re.compile(rb"\s*(OFXHEADER\s*:|<\?OFX|<OFX>|<\?xml[^>]*\?>\s*(<\?OFX|<OFX>))", re.IGNORECASE)
CAMT = re.compile(rb"camt\.05[234]\.|<(\w+:)?BkToCstmr", re.IGNORECASE)
MT940 = re.compile(rb"\s*(\{1:|(:940:\s*)?:20:)|[^:{]{0,200}\n:20:")


def format_of(begin: bytes) -> Format:
    """Tell the format from the first bytes, unpacked and in UTF-8; raises ``InvalidInput`` on what is known not to be readable."""
    if begin.startswith(PARQUET):
        return "parquet"
    if OFX.match(begin):
        return "ofx"
    if begin.lstrip().startswith(b"<"):
        if CAMT.search(begin):
            return "camt.053"
        raise InvalidInput("the source is XML, but neither OFX nor CAMT.052, 053 or 054")
    if MT940.match(begin):
        return "mt940"
    match begin.lstrip()[:1]:
        case b"{":
            return "jsonl"
        case b"[" if re.match(rb"\s*\[\s*[{\]]", begin):
            raise InvalidInput("the source is a JSON array: one object a line is needed (jq -c '.[]' makes that)")
    if begin.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InvalidInput("the source is a spreadsheet or an archive: save it as CSV")
    if begin.startswith(b"%PDF"):
        raise InvalidInput("the source is a PDF: banks offer CSV, CAMT.053, OFX or MT940 as well")
    return "csv"
