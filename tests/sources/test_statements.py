"""Bank statements: what OFX, CAMT and MT940 say becomes transactions, and what is wrong in them takes no neighbour with it."""

import gzip
import io
import textwrap

import pytest

from rayapp.datasets import dataset
from rayapp.errors import InvalidInput
from rayapp.settings import Settings
from rayapp.sources.options import SourceOptions
from rayapp.sources.planning import plan_source
from rayapp.sources.stream import Stream
from rayapp.sources.streaming import read_blocks

TRANSACTIONS = dataset("transactions")

OFX_1 = """\
OFXHEADER:100
DATA:OFXSGML
VERSION:102
ENCODING:USASCII
CHARSET:1252

<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD
<BANKACCTFROM><BANKID>1<ACCTID>4711<ACCTTYPE>CHECKING</BANKACCTFROM>
<BANKTRANLIST>
<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20260102120000[-5:EST]<TRNAMT>-4.50<FITID>F1<NAME>STARBUCKS &amp; CO<MEMO>COFFEE
<BANKACCTTO><BANKID>9<ACCTID>0815</BANKACCTTO></STMTTRN>
<STMTTRN>
<TRNTYPE>CREDIT
<DTPOSTED>20260103
<TRNAMT>1200.00
<NAME>PAYROLL
</STMTTRN>
<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20260104<TRNAMT>much<FITID>F3<NAME>BAD</STMTTRN>
<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20260104<TRNAMT>-7<FITID>F3<SIC>5814<NAME>CAF\xe9</STMTTRN>
</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""

OFX_2 = """\
<?xml version="1.0" encoding="UTF-8"?>
<?OFX OFXHEADER="200" VERSION="211"?>
<OFX><CREDITCARDMSGSRSV1><CCSTMTTRNRS><CCSTMTRS><CURDEF>EUR</CURDEF>
<CCACCTFROM><ACCTID>4711</ACCTID></CCACCTFROM><BANKTRANLIST>
<STMTTRN><TRNTYPE>DEBIT</TRNTYPE><DTPOSTED>20260102</DTPOSTED><TRNAMT>-4.50</TRNAMT><FITID>F1</FITID><NAME><![CDATA[A & B]]></NAME>
<ORIGCURRENCY><CURRATE>1.1</CURRATE><CURSYM>USD</CURSYM></ORIGCURRENCY></STMTTRN>
</BANKTRANLIST></CCSTMTRS></CCSTMTTRNRS></CREDITCARDMSGSRSV1></OFX>
"""

CAMT = """\
<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>
<Acct><Id><IBAN>DE02</IBAN></Id><Ccy>EUR</Ccy><Svcr><FinInstnId><Othr><Id>X</Id></Othr></FinInstnId></Svcr></Acct>
<Ntry><Amt Ccy="EUR">4.50</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-01-02</Dt></BookgDt>
<AcctSvcrRef>R1</AcctSvcrRef><NtryDtls><TxDtls><RltdPties><Dbtr><Pty><Nm>ME</Nm></Pty></Dbtr><Cdtr><Pty><Nm>REWE Markt</Nm>
<PstlAdr><Ctry>DE</Ctry></PstlAdr></Pty></Cdtr></RltdPties><RmtInf><Ustrd>SAGT</Ustrd><Ustrd>DANKE</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="EUR">9.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>PDNG</Sts></Ntry>
<Ntry><Amt Ccy="EUR">30.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><ValDt><DtTm>2026-01-03T10:00:00+01:00</DtTm></ValDt><NtryRef>B</NtryRef>
<NtryDtls><TxDtls><Amt Ccy="EUR">10.00</Amt><RltdPties><Dbtr><Nm>ANNA</Nm></Dbtr></RltdPties></TxDtls>
<TxDtls><AmtDtls><TxAmt><Amt Ccy="EUR">20.00</Amt></TxAmt></AmtDtls><AddtlTxInf>RENT</AddtlTxInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="EUR">x</Amt><CdtDbtInd>CRDT</CdtDbtInd></Ntry>
</Stmt></BkToCstmrStmt></Document>
"""

MT940 = """\
:20:STARTUMS
:25:DE12345678/0012345678
:28C:00001/001
:60F:C260101EUR1000,00
:61:2601020102DR4,50N024NONREF//REF1
KARTE
:86:105?00KARTENZAHLUNG?20EREF+17?21SVWZ+REWE SAGT DANKE?30BANK?32REWE MARKT?33 BERLIN
:61:26010X0103CR1,00NTRF
:86:BAD DATE
:61:2512310102RC10,NTRFNONREF
:86:/TRTP/SEPA/NAME/ALBERT HEIJN/REMI/TERUG/EREF/1
:61:2601030103CR1200,00NTRF123//REF2
:62F:C260131EUR2195,50
-
"""


def read(content, settings, tmp_path):
    path = tmp_path / "statement"
    path.write_bytes(content)
    with plan_source(str(path), TRANSACTIONS, SourceOptions(), settings) as (plan, reader):
        found = [rows for piece in plan.pieces for rows in reader(piece)]
        return [
            ({name: value for name, value in row.items() if value is not None}, rows.line_of(place))
            for rows in found
            for row, place in zip(rows.table.to_pylist(), rows.places, strict=True)
        ], [(bad.message, rows.line_of(bad.row)) for rows in found for bad in rows.unread]


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path / "data")


def test_ofx_1_with_leaves_that_are_not_closed(settings, tmp_path):
    rows, bad = read(OFX_1.encode("cp1252"), settings, tmp_path)
    assert rows == [
        ({"id": "4711/F1", "descriptor": "STARBUCKS & CO COFFEE", "amount": "4.50", "currency": "USD", "direction": "debit", "booked_at": "2026-01-02T12:00:00-05:00", "account_id": "4711"}, 10),
        ({"id": rows[1][0]["id"], "descriptor": "PAYROLL", "amount": "1200.00", "currency": "USD", "direction": "credit", "booked_at": "2026-01-03", "account_id": "4711"}, 12),
        ({"id": "4711/F3", "descriptor": "CAFé", "amount": "7", "currency": "USD", "direction": "debit", "booked_at": "2026-01-04", "mcc": "5814", "account_id": "4711"}, 19),
    ]
    assert len(rows[1][0]["id"]) == len("4711/") + 32
    assert bad == [("TRNAMT 'much' is no amount", 18)]


def test_ofx_2_is_xml_and_an_entry_s_own_currency_is_not_the_original_one(settings, tmp_path):
    rows, bad = read(OFX_2.encode(), settings, tmp_path)
    assert [(row["descriptor"], row["currency"], row["id"], line) for row, line in rows] == [("A & B", "EUR", "4711/F1", 5)]
    assert not bad


def test_camt_gives_entries_and_the_transactions_of_a_batch(settings, tmp_path):
    rows, bad = read(CAMT.encode(), settings, tmp_path)
    assert [row for row, _ in rows] == [
        {"id": "DE02/R1", "descriptor": "REWE Markt SAGT DANKE", "amount": "4.50", "currency": "EUR", "direction": "debit", "booked_at": "2026-01-02", "country": "DE", "account_id": "DE02"},
        {"id": "DE02/B-1", "descriptor": "ANNA", "amount": "10.00", "currency": "EUR", "direction": "credit", "booked_at": "2026-01-03T10:00:00+01:00", "account_id": "DE02"},
        {"id": "DE02/B-2", "descriptor": "RENT", "amount": "20.00", "currency": "EUR", "direction": "credit", "booked_at": "2026-01-03T10:00:00+01:00", "account_id": "DE02"},
    ]
    assert bad == [("is not booked, its status is PDNG", 7), ("has no amount", 11)]


def test_mt940_gives_the_name_and_the_purpose(settings, tmp_path):
    rows, bad = read(MT940.encode(), settings, tmp_path)
    account = "DE12345678/0012345678"
    assert [row for row, _ in rows] == [
        {"id": f"{account}/REF1", "descriptor": "REWE MARKT BERLIN REWE SAGT DANKE", "amount": "4.50", "currency": "EUR", "direction": "debit", "booked_at": "2026-01-02", "account_id": account},
        {"id": rows[1][0]["id"], "descriptor": "ALBERT HEIJN TERUG", "amount": "10", "currency": "EUR", "direction": "debit", "booked_at": "2026-01-02", "account_id": account},
        {"id": f"{account}/REF2", "descriptor": "NTRF", "amount": "1200.00", "currency": "EUR", "direction": "credit", "booked_at": "2026-01-03", "account_id": account},
    ]
    assert [line for _, line in bad] == [8]
    assert "cannot be read" in bad[0][0]


@pytest.mark.parametrize("content", [OFX_1.encode("cp1252"), OFX_2.encode(), CAMT.encode(), MT940.encode(), MT940.replace("\n", "\r\n").encode()])
@pytest.mark.parametrize("at_once", [1, 13, 1 << 20])
def test_a_pipe_gives_what_a_file_gives(settings, tmp_path, content, at_once):
    source = io.BytesIO(gzip.compress(content))
    blocks = read_blocks(Stream(lambda size: source.read(min(size, at_once))), TRANSACTIONS, SourceOptions())
    streamed = [{name: value for name, value in row.items() if value is not None} for block in blocks for row in block.table.to_pylist()]
    assert streamed == [row for row, _ in read(content, settings, tmp_path)[0]]


def test_equal_entries_without_a_reference_are_numbered(settings, tmp_path):
    twice = MT940.replace("//REF1", "").replace(":61:26010X0103CR1,00NTRF\n:86:BAD DATE\n", "")
    entry = twice[twice.index(":61:") : twice.index(":61:2512")]
    rows, _ = read(twice.replace(entry, entry * 3).encode(), settings, tmp_path)
    first = rows[0][0]["id"]
    assert [row["id"] for row, _ in rows[:3]] == [first, f"{first}-2", f"{first}-3"]


BOMB = textwrap.dedent("""\
    <?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
    <Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>&b;</BkToCstmrStmt></Document>""")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (BOMB.encode(), "declares a document type"),
        (CAMT.encode()[:-60], "is no XML"),
        (CAMT.encode().replace(b"<Stmt>", b"<Stmt>" + b"<a>" * 100), "elements deep"),
        (OFX_2.encode()[:-30], "breaks off"),
        (gzip.compress(CAMT.encode())[:-20], "breaks off"),
    ],
)
def test_a_statement_that_is_broken_or_hostile_is_refused(settings, tmp_path, content, said):
    with pytest.raises(InvalidInput, match=said):
        read(content, settings, tmp_path)


def test_a_statement_is_no_catalogue(settings, tmp_path):
    (tmp_path / "a.sta").write_text(MT940)
    with pytest.raises(InvalidInput, match="holds transactions, not inventory"), plan_source(str(tmp_path / "a.sta"), dataset("inventory"), SourceOptions(), settings):
        pass
