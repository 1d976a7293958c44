"""Which field becomes which column, and how its values are read: exports of banks in several countries, and what a mapping file says."""

from pathlib import Path

import pytest

from rayapp.datasets import dataset
from rayapp.errors import InvalidInput
from rayapp.settings import Settings
from rayapp.sources.describe import describe
from rayapp.sources.options import SourceOptions, read_mapping_file
from rayapp.sources.planning import drafted, plan_source

TRANSACTIONS = dataset("transactions")


def load(tmp_path: Path, content: str | bytes, mapping: str = "", *, into=TRANSACTIONS, **said):
    path = tmp_path / "export.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / "mapping.toml").write_text(mapping)
    options = SourceOptions(read_mapping_file(tmp_path / "mapping.toml"), **said)
    with plan_source(str(path), into, options, Settings(data_dir=tmp_path)) as (plan, reader):
        found = [rows for piece in plan.pieces for rows in reader(piece)]
    rows = [{name: value for name, value in row.items() if value is not None} for part in found for row in part.table.to_pylist()]
    return plan, rows, [(bad.column, bad.value) for part in found for bad in part.unread]


def without_ids(rows):
    return [{name: value for name, value in row.items() if name != "id"} for row in rows]


EXPORTS = {
    "German, with a preamble and a payee": (
        'Kontonummer:;DE12 3456;\n\n"Buchungstag";"Auftraggeber / Begünstigter";"Verwendungszweck";"Betrag (EUR)";"Saldo"\n"01.02.2026";"REWE";"DANKE 1";"-4,50";"1.000,00"\n"13.02.2026";"Firma";"LOHN";"1.234,56";"2.000,00"\n',
        {"descriptor": "REWE DANKE 1", "amount": "-4.50", "direction": "debit", "booked_at": "2026-02-01"},
    ),
    "Dutch, with the direction in words": (
        '"Datum","Naam / Omschrijving","Rekening","Af Bij","Bedrag (EUR)"\n"20260102","ALBERT HEIJN","NL01","Af","12,34"\n',
        {"descriptor": "ALBERT HEIJN", "amount": "12.34", "direction": "debit", "booked_at": "2026-01-02", "account_id": "NL01"},
    ),
    "French, in two columns": (
        "Date;Libellé;Débit euros;Crédit euros\n".replace(" euros", "") + "31/01/2026;CARTE CARREFOUR;12,50;\n01/02/2026;SALAIRE;;1 234,56\n",
        {"descriptor": "CARTE CARREFOUR", "amount": "12.50", "direction": "debit", "booked_at": "2026-01-31"},
    ),
    "American, months first": (
        'Transaction Date,Description,Category,Amount\n01/31/2026,STARBUCKS,Food,-4.50\n02/01/2026,PAYROLL,Income,"1,234.50"\n',
        {"descriptor": "STARBUCKS", "amount": "-4.50", "direction": "debit", "booked_at": "2026-01-31"},
    ),
    "British, paid out and paid in": (
        'Date,Transaction type,Description,Paid out,Paid in,Balance\n02 Jan 2026,VIS,TESCO STORES,£4.50,,£10.00\n03 Jan 2026,CR,WAGE,,"£1,200.00",£9.00\n',
        {"descriptor": "TESCO STORES", "amount": "4.50", "direction": "debit", "booked_at": "2026-01-02"},
    ),
    "Swiss, with apostrophes": (
        "Buchungsdatum;Buchungstext;Belastung;Gutschrift\n02.01.26;COOP;1'234.50;\n13.01.26;LOHN;;5'000.00\n",
        {"descriptor": "COOP", "amount": "1234.50", "direction": "debit", "booked_at": "2026-01-02"},
    ),
    "Spanish, tabs and a minus after": (
        "Fecha\tConcepto\tImporte\tDivisa\n31-01-2026\tMERCADONA\t4,50-\tEUR\n01-02-2026\tNOMINA\t1.200,00\tEUR\n",
        {"descriptor": "MERCADONA", "amount": "-4.50", "direction": "debit", "currency": "EUR", "booked_at": "2026-01-31"},
    ),
    "a time beside the date, and brackets": (
        "Completed Date,Description,Amount,Currency\n31.01.2026 12:30:05,UBER,(4.50),GBP\n01.02.2026 09:00:00,TOP UP,10.00,GBP\n",
        {"descriptor": "UBER", "amount": "-4.50", "direction": "debit", "currency": "GBP", "booked_at": "2026-01-31T12:30:05"},
    ),
    "a spreadsheet's sep line": ("sep=;\nid;descriptor;amount\n1;A;2\n", {"descriptor": "A", "amount": "2"}),
    "our own": ("id,descriptor,amount,mcc\n1,SHELL,-1.234,5541\n", {"descriptor": "SHELL", "amount": "-1.234", "mcc": "5541"}),
}


@pytest.mark.parametrize("bank", EXPORTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_exports_are_read_without_a_word(tmp_path, bank, encoding):
    content, first = EXPORTS[bank]
    _, rows, bad = load(tmp_path, content.encode(encoding))
    assert not bad
    assert without_ids(rows)[0] == first


def test_a_type_column_that_holds_other_words_is_no_direction(tmp_path):
    plan, rows, _ = load(tmp_path, "Date,Description,Type,Amount\n2026-01-02,A,Sale,-1\n2026-01-03,B,Fee,2\n")
    assert [row["direction"] for row in rows] == ["debit", "credit"]
    assert plan.mapping.dropped == ("type",)


def test_a_value_that_does_not_fit_its_column_is_named_as_it_is_printed(tmp_path):
    content = "Datum;Buchungstext;Betrag\n" + "13.01.2026;A;-1,50\n" * 5 + "31.02.26;B;-1,50\n14.01.2026;C;12.5\n15.01.2026;D;2,00\n"
    _, rows, bad = load(tmp_path, content)
    assert bad == [("booked_at", "31.02.26"), ("amount", "12.5")]
    assert rows[-1]["descriptor"] == "D"


@pytest.mark.parametrize(
    ("content", "question", "answer", "read"),
    [
        ("Date,Description\n03/04/2026,A\n", "'03/04/2026' is DD/MM/YYYY or MM/DD/YYYY", 'dates = "MM/DD/YYYY"', {"booked_at": "2026-03-04"}),
        ('Description,Amount\nA,"1,234"\n', "'1,234' has thousands or three decimals", 'decimal = "."', {"amount": "1234"}),
        ('Description,Amount\nA,"1,234"\n', "'1,234' has thousands or three decimals", 'decimal = ","', {"amount": "1.234"}),
    ],
)
def test_what_can_be_read_in_two_ways_is_asked_and_not_guessed(tmp_path, content, question, answer, read):
    with pytest.raises(InvalidInput, match=question):
        load(tmp_path, content)
    with drafted(str(tmp_path / "export.csv"), TRANSACTIONS, SourceOptions(), Settings(data_dir=tmp_path)) as (plan, _):
        assert question in describe(plan)
    _, rows, _ = load(tmp_path, content, answer)
    assert read.items() <= rows[0].items()


def test_the_order_of_the_rows_tells_days_from_months(tmp_path):
    days = [f"{month:02}/{day:02}/2026" for month in (1, 2) for day in (1, 5, 9)]
    _, rows, _ = load(tmp_path, "Date,Description\n" + "".join(f"{day},A\n" for day in days))
    assert [row["booked_at"] for row in rows][-1] == "2026-02-09"


def test_a_mapping_file_has_the_last_word(tmp_path):
    mapping = """
        header = false
        delimiter = "|"
        sign = "positive is debit"
        id = "row"
        [columns]
        descriptor = ["3", "2"]
        amount = { field = "4", decimal = "," }
        booked_at = { field = "1", dates = "DD.MM.YYYY" }
        [constants]
        currency = "EUR"
    """
    plan, rows, _ = load(tmp_path, "01.02.2026|KARTE|REWE|4,50|x\n02.02.2026|LOHN|FIRMA|-10,00|y\n", mapping)
    assert without_ids(rows) == [
        {"descriptor": "REWE KARTE", "amount": "4.50", "currency": "EUR", "direction": "debit", "booked_at": "2026-02-01"},
        {"descriptor": "FIRMA LOHN", "amount": "-10.00", "currency": "EUR", "direction": "credit", "booked_at": "2026-02-02"},
    ]
    assert [row["id"].rpartition("-")[2] for row in rows] == ["1", "2"]
    assert plan.mapping.dropped == ("5",)


def test_words_of_one_s_own_and_a_column_that_is_not_wanted(tmp_path):
    mapping = '[columns]\ndirection = "Art"\nmcc = false\n[directions]\ndebit = ["belastet"]\ncredit = ["gutgeschrieben"]\n'
    _, rows, _ = load(tmp_path, "id,descriptor,Art,mcc\n1,A,Belastet,5541\n2,B,gutgeschrieben,5541\n", mapping)
    assert rows == [{"id": "1", "descriptor": "A", "direction": "debit"}, {"id": "2", "descriptor": "B", "direction": "credit"}]


def test_debit_and_credit_columns_can_be_named(tmp_path):
    mapping = '[columns]\namount = { debit = "x", credit = "y" }\n'
    _, rows, bad = load(tmp_path, "id,descriptor,x,y\n1,A,2.00,\n2,B,,3.00\n3,C,0.00,4\n4,D,1,1\n", mapping)
    assert [(row["amount"], row["direction"]) for row in rows] == [("2.00", "debit"), ("3.00", "credit"), ("4", "credit")]
    assert bad == [("amount", "1 and 1")]


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("[columns]\namuont = 'x'\n", "'amuont', which is no column of transactions, did you mean amount?"),
        ("[columns]\namount = 'nope'\n", "the field 'nope'; the source has id, descriptor"),
        ("encoding = 'klingon'\n", "no encoding is called 'klingon'"),
        ("delimiter = ';;'\n", "one ASCII character"),
        ("dates = 'D.M.Y'\n", "no format of dates"),
        ("[columns]\namount = true\n", "columns.amount"),
        ("[columns]\namount = { decimal = ',' }\n", "columns.amount"),
        ("colums = 1\n", "unknown field `colums`"),
        ("columns = [\n", "mapping.toml"),
        ("header = 9\n", "should stand in line 9"),
    ],
)
def test_a_mapping_file_that_is_wrong_says_where(tmp_path, mapping, said):
    with pytest.raises(InvalidInput, match=said.replace("?", r"\?")):
        load(tmp_path, "id,descriptor\n1,A\n", mapping)


def test_a_made_id_is_the_same_in_every_export_that_holds_the_row(tmp_path):
    header, coffee, shop = "Date,Description,Amount,Balance\n", "2026-01-02,COFFEE,-2.50,{}\n", "2026-01-03,SHOP,-9.00,{}\n"
    january = load(tmp_path, header + coffee.format(1) + coffee.format(2))[1]
    both = load(tmp_path, header + coffee.format(1) + coffee.format(2) + shop.format(3))[1]
    assert len({row["id"] for row in both}) == 3
    assert [row["id"] for row in both[:2]] == [row["id"] for row in january]
    assert [row["id"][-2:] for row in both] == ["-1", "-2", "-1"]


def test_ids_that_are_made_do_not_depend_on_the_cut(tmp_path):
    content = "Date,Description,Amount\n" + "".join(f"2026-01-02,SHOP {number % 7},-1.50\n" for number in range(1300))
    path = tmp_path / "export.csv"
    path.write_text(content)
    ids = []
    for small, medium, large in ((5000, 5000, 5000), (1, 1, 5000), (1, 1, 1)):
        chosen = Settings(data_dir=tmp_path, tier_small=small, tier_medium=medium, tier_large=large)
        with plan_source(str(path), TRANSACTIONS, SourceOptions(), chosen) as (plan, reader):
            ids.append([row["id"] for piece in plan.pieces for rows in reader(piece) for row in rows.table.to_pylist()])
    assert ids[0] == ids[1] == ids[2]
    assert len(set(ids[0])) == 1300


def test_any_dataset_takes_constants_and_names_what_it_lacks(tmp_path):
    content = 'Variant ID,Qty,Location,color\nv1,"1,200",north,red\nv2,7,south,blue\n'
    plan, rows, _ = load(tmp_path, content, into=dataset("inventory"), constants={"csv_upload_id": "u1"})
    assert rows[0] == {"csv_upload_id": "u1", "variant_id": "v1", "location_id": "north", "available": "1200"}
    assert plan.mapping.dropped == ("color",)
    with pytest.raises(InvalidInput, match="'csv_upload_id' is missing; the source has variant id, qty"):
        load(tmp_path, content, into=dataset("inventory"))


def test_a_plan_is_another_one_when_columns_mean_something_else(tmp_path):
    content = "id,descriptor,note\n1,A,B\n"
    plans = [load(tmp_path, content, mapping)[0] for mapping in ("", "", "[columns]\ndescriptor = 'note'\n")]
    assert plans[0].content == plans[1].content != plans[2].content


def test_a_description_shows_names_and_values_as_they_are_printed(tmp_path):
    plan, _, _ = load(tmp_path, EXPORTS["German, with a preamble and a payee"][0].encode("cp1252"))
    told = describe(plan)
    for words in ("semicolon, cp1252, rows from line 4", "Betrag (EUR) as 1.234,56", "-4,50 | 1.234,56", "not loaded: Saldo", "sign of Betrag (EUR): negative is debit"):
        assert words in told
