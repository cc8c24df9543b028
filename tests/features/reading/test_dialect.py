"""Options of reading: what a file cannot say of itself."""

from __future__ import annotations

import datetime
import gzip
import pathlib

import pytest

from tiercast.contract import errors
from tiercast.features import reading
from tiercast.features.engines.duckdb import DuckDBEngine
from tiercast.features.reading import dialect

AS_OF = datetime.date(2024, 1, 7)
HEADER = "customer_id,ordered_at,amount\n"
NAMELESS = {"customer_id": "column_1", "ordered_at": "column_2", "amount": "column_3"}


def read(path: pathlib.Path, columns: dict[str, str] | None = None, **given: str) -> list[tuple[str, str, str]]:
    with DuckDBEngine() as engine:
        sources = reading.Sources(str(path), columns=columns or {}, dialect=dialect.parse(given))
        table = reading.read(engine, sources, AS_OF).tables.transactions
        found = engine.con.to_pyarrow(table).to_pylist()
    return sorted((row["customer_id"], str(row["ordered_on"]), f"{row['amount']:.2f}") for row in found)


@pytest.mark.parametrize("encoding", ["gb18030", "GBK", "big5", "shift_jis", "utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("is_packed", [False, True])
def test_a_named_encoding_reads_to_the_same_text(tmp_path: pathlib.Path, encoding: str, is_packed: bool) -> None:
    content = (HEADER + "中文,2024-01-05,1\n").encode(encoding)
    path = tmp_path / ("orders.csv.gz" if is_packed else "orders.csv")
    path.write_bytes(gzip.compress(content) if is_packed else content)
    assert read(path, encoding=encoding) == [("中文", "2024-01-05", "1.00")]


def test_western_text_is_read_by_its_encoding(tmp_path: pathlib.Path) -> None:
    (tmp_path / "orders.csv").write_bytes((HEADER + "Zoë €,2024-01-05,1\n").encode("cp1252"))
    assert read(tmp_path / "orders.csv", encoding="cp1252")[0][0] == "Zoë €"


def test_a_file_that_is_not_of_the_named_encoding_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "orders.csv").write_bytes((HEADER + "Zoë,2024-01-05,1\n").encode("latin-1"))
    with pytest.raises(errors.SourceUnreadable, match="not gb18030"):
        read(tmp_path / "orders.csv", encoding="gb18030")


def test_a_mark_at_the_start_wins_over_the_named_encoding(tmp_path: pathlib.Path) -> None:
    (tmp_path / "orders.csv").write_bytes((HEADER + "中文,2024-01-05,1\n").encode("utf-8-sig"))
    assert read(tmp_path / "orders.csv", encoding="gb18030")[0][0] == "中文"


def test_a_named_delimiter_wins_over_the_one_that_makes_more_columns(tmp_path: pathlib.Path) -> None:
    (tmp_path / "orders.csv").write_text("customer_id~ordered_at~amount~a,b,c,d,e\nc-1~2024-01-05~1~x\n")
    assert read(tmp_path / "orders.csv", delimiter="~") == [("c-1", "2024-01-05", "1.00")]


def test_without_a_header_the_columns_are_counted(tmp_path: pathlib.Path) -> None:
    (tmp_path / "orders.csv").write_text("c-1,2024-01-05,1\nc-2,2024-01-06,2\n")
    found = read(tmp_path / "orders.csv", NAMELESS, header="none")
    assert found == [("c-1", "2024-01-05", "1.00"), ("c-2", "2024-01-06", "2.00")]


def test_a_missing_header_is_refused_with_the_option_that_reads_the_file(tmp_path: pathlib.Path) -> None:
    (tmp_path / "orders.csv").write_text("c-1,2024-01-05,1\nc-2,2024-01-06,2\n")
    with pytest.raises(errors.SourceUnreadable, match="no header") as caught:
        read(tmp_path / "orders.csv")
    assert "--header none --column customer_id=column_1" in caught.value.hint


@pytest.mark.parametrize(
    "given", [{"encoding": "klingon"}, {"encoding": "base64"}, {"delimiter": ";;"}, {"delimiter": "a"}, {"header": "2"}]
)
def test_an_unknown_value_is_refused_with_its_name(given: dict[str, str]) -> None:
    (name,) = given
    with pytest.raises(errors.BadInput, match=f"--{name}") as caught:
        dialect.parse(given)
    assert caught.value.hint


@pytest.mark.parametrize("header", [HEADER, "客户,ordered_at,amount\n"])
@pytest.mark.parametrize(
    ("encoding", "name", "likely"),
    [
        ("gbk", "王小明", "gb18030"),
        ("gb18030", "上海市浦东新区", "gb18030"),
        ("latin-1", "Zoë Müller", "cp1252"),
        ("cp1252", "José – Ñandú", "cp1252"),
    ],
)
def test_a_file_that_is_no_utf8_is_refused_with_its_likely_encoding(
    tmp_path: pathlib.Path, header: str, encoding: str, name: str, likely: str
) -> None:
    """Also where only the rows have such letters, which the engine finds."""
    first = header if header == HEADER or likely == "gb18030" else "Käufer,ordered_at,amount\n"
    path = tmp_path / "orders.csv"
    path.write_bytes((first + "c-1,2024-01-04,1\n" + f"{name},2024-01-05,1\n" * 3).encode(encoding))
    columns = {} if first == HEADER else {"customer_id": first.split(",", maxsplit=1)[0]}
    with pytest.raises(errors.SourceUnreadable) as caught:
        read(path, columns)
    assert f"pass --encoding {likely}" in caught.value.hint
    assert (name, "2024-01-05", "1.00") in read(path, columns, encoding=likely)
