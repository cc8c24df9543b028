"""Whatever is wrong with the input: exit code 2, four parts, no traceback, and what was there before is still there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests import command_line, make_tables, scored_tables
from tiercast.models import bundle_folder
from tiercast.training.train import Trained

pytestmark = pytest.mark.slow
HEADER = "customer_id,ordered_at,amount,quantity\n"
FINE = "".join(f"c-{k},1998-0{1 + k % 6}-0{1 + k % 9},{k}.5,1\n" for k in range(40))
OLD = b"yesterday's"


@pytest.fixture(scope="module")
def bundle(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "bundle"
    bundle_folder.save(trained.bundle, folder)
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Iterator[Path]:
    """Yesterday's file, which every test here must leave as it was, with nothing beside it."""
    path = tmp_path / "out" / "scores.parquet"
    path.parent.mkdir()
    path.write_bytes(OLD)
    yield path
    assert path.read_bytes() == OLD
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def score(data: object, bundle: Path, out: Path, *more: object, **how: Any) -> subprocess.CompletedProcess[str]:
    as_of = () if "--as-of" in more else ("--as-of", "1998-07-01")
    return command_line.run("score", data, "--bundle", bundle, "--out", out, *as_of, *more, **how)


def text(content: str, name: str = "orders.csv") -> Callable[[Path], str]:
    return lambda folder: make_tables.write_text(folder, content, name)


def cut_off(folder: Path) -> str:
    path = Path(scored_tables.write(folder, scored_tables.purchases(400)))
    path.write_bytes(path.read_bytes()[:-700])
    return str(path)


def empty_folder(folder: Path) -> str:
    (folder / "nothing").mkdir()
    return str(folder / "nothing")


def wrong_type(folder: Path) -> str:
    table = scored_tables.purchases(400)
    return scored_tables.write(folder, table.set_column(1, "ordered_at", pa.array([7] * table.num_rows)))


BAD: dict[str, tuple[Callable[[Path], str], tuple[str, ...], str, str]] = {
    "an empty file": (text(""), (), "SourceUnreadable", "0 bytes"),
    "a header without rows": (text(HEADER), (), "NothingKnown", "no rows"),
    "no such file": (lambda folder: str(folder / "nowhere.csv"), (), "SourceUnreadable", "nowhere.csv"),
    "a missing column": (text(HEADER.replace("amount", "Amount_") + FINE), (), "MissingColumn", "'Amount_'"),
    "a wrong type": (wrong_type, (), "WrongType", "ordered_at=7"),
    "refunds alone": (text(HEADER + "a,1998-06-01,-1,1\nb,1998-06-02,-2.5,1\n"), (), "NothingKnown", "negative"),
    "an as-of before all rows": (text(HEADER + FINE), ("--as-of", "1997-01-01"), "NothingKnown", "40 of 40 rows"),
    "an as-of long after all rows": (text(HEADER + FINE), ("--as-of", "2024-01-01"), "NothingKnown", "longer than all"),
    "no amount that is a number": (
        text(HEADER + "a,1998-06-01,NaN,1\nb,1998-06-02,inf,1\n"), (), "WrongType", "amount"),
    "times with and without a zone": (
        text(HEADER + "a,1998-06-01T10:00:00+02:00,1,1\nb,1998-06-02T10:00:00,1,1\n"), (), "AmbiguousTime", "zone"),
    "a cut-off Parquet file": (cut_off, (), "SourceUnreadable", "orders.parquet"),
    "a folder without Parquet": (empty_folder, (), "SourceUnreadable", "no Parquet"),
    "columns that the bundle needs are not there": (
        text("customer_id,ordered_at,amount\na,1998-05-01,1\na,1998-06-28,1\n"), (),
        "BundleRefused", "- transactions.quantity"),
    "a day that is none": (text(HEADER + FINE), ("--as-of", "June"), "BadInput", "First: June"),
    "a language that is none": (text(HEADER + FINE), ("--lang", "fr"), "BadInput", "First: fr"),
    "a rename with one side": (text(HEADER + FINE), ("--column", "amount"), "BadInput", "--column"),
    "a memory limit that is none": (text(HEADER + FINE), ("--memory", "lots"), "BadInput", "2GB"),
    "two models at once": (text(HEADER + FINE), ("--model", "champion"), "BadInput", "both --bundle and --model"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_it_is_refused_in_four_parts_and_nothing_is_touched(what: str, bundle: Path, out: Path, tmp_path: Path) -> None:
    make, options, kind, words = BAD[what]
    result, message = command_line.refusal(score(make(tmp_path), bundle, out, *options))
    assert (result, words in message) == (kind, True), message


def test_a_missing_column_names_the_nearest_and_the_option_that_helps(bundle: Path, out: Path, tmp_path: Path) -> None:
    data = make_tables.write_text(tmp_path, HEADER.replace("customer_id", "CustomerID") + FINE)
    _, message = command_line.refusal(score(data, bundle, out))
    assert "--column customer_id=CustomerID" in message


def test_a_bundle_that_was_changed_is_refused(bundle: Path, out: Path, tmp_path: Path) -> None:
    data = make_tables.write_text(tmp_path, HEADER + FINE)
    bent = tmp_path / "bent"
    bent.mkdir()
    for path in bundle.iterdir():
        (bent / path.name).write_bytes(path.read_bytes() + (b" " if path.name == "model.json" else b""))
    kind, message = command_line.refusal(score(data, bent, out))
    assert kind == "BundleRefused"
    assert "model.json" in message
    kind, _ = command_line.refusal(score(data, tmp_path / "nowhere", out))
    assert kind == "BundleRefused"


@pytest.mark.parametrize("largest", [3_000, 20_000], ids=["for our temporary files", "for the scores"])
def test_a_full_disk_is_reported(bundle: Path, out: Path, tmp_path: Path, largest: int) -> None:
    data = scored_tables.write(tmp_path, scored_tables.purchases(40))
    kind, _ = command_line.refusal(score(data, bundle, out, largest_file=largest))
    assert kind == "CannotWrite"


AS_NOBODY = """
import os, sys
from tiercast import cli

data, bundle, open_place, *places = sys.argv[1:]

def score(out):
    try:
        cli.main(["score", data, "--as-of", "1998-07-01", "--bundle", bundle, "--out", out])
    except SystemExit as end:
        return end.code

assert not score(open_place)  # everything is loaded now, also what lies where nobody may look
if os.getuid() == 0:  # root may write anywhere: become nobody
    os.setgid(65534)
    os.setuid(65534)
codes = {score(place) for place in places}
sys.exit(2 if codes == {2} else 1)
"""


def test_a_missing_permission_is_reported(bundle: Path) -> None:
    with make_tables.folder() as folder:
        folder.chmod(0o755)
        data = scored_tables.write(folder, scored_tables.purchases(400))
        (folder / "bundle").mkdir()
        for path in bundle.iterdir():
            (folder / "bundle" / path.name).write_bytes(path.read_bytes())
        closed, dark = folder / "closed", folder / "dark"
        closed.mkdir(mode=0o555)
        dark.mkdir(mode=0o000)
        places = (folder / "fine.parquet", closed / "scores.parquet", dark / "scores.parquet")
        arguments = [sys.executable, "-c", AS_NOBODY, *map(str, (data, folder / "bundle", *places))]
        done = subprocess.run(
            arguments, cwd=folder, env=command_line.around(), capture_output=True, text=True, check=False
        )
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
        assert done.stderr.count("CannotWrite: the file cannot be written: permission denied") == 2
        assert done.stderr.count("First: ") == done.stderr.count("Hint: ") == 2


@pytest.mark.parametrize("name", ["", "scores.xlsx"])
def test_a_target_neither_parquet_nor_csv_is_refused(bundle: Path, out: Path, tmp_path: Path, name: str) -> None:
    data = make_tables.write_text(tmp_path, HEADER + FINE)
    kind, _ = command_line.refusal(score(data, bundle, out.parent / name))
    assert kind == "CannotWrite"


def test_a_word_that_is_no_option_is_wrong_usage(bundle: Path, out: Path, tmp_path: Path) -> None:
    done = score(make_tables.write_text(tmp_path, HEADER + FINE), bundle, out, "--colour", "red")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "--colour" in done.stderr


# --- training


def train(data: object, folder: Path, *more: object) -> subprocess.CompletedProcess[str]:
    arguments = ("train", data, "--as-of", "1998-07-01", "--churn-days", "30", "--no-mlflow", "--bundle", folder)
    return command_line.run(*arguments, *more)


@pytest.mark.parametrize(
    ("rows", "options", "kind"),
    [
        ("".join(f"alone,1998-0{m}-01,5,1\n" for m in range(1, 7)), ("--even-blocked",), "NotEnoughData"),
        ("".join(f"c-{k},1998-0{1 + k % 6}-01,5,1\n" for k in range(60)), ("--even-blocked",), "NotEnoughData"),
        ("a,1998-06-01,-1,1\n", (), "NothingKnown"),
        (FINE, ("--register",), "BadInput"),
        (FINE, ("--config", "nowhere.toml"), "BadInput"),
        (FINE, ("--value-days", "0"), "BadInput"),
    ],
    ids=["one customer", "nobody came back", "refunds", "register without MLflow", "no such settings", "no horizon"],
)
def test_training_on_what_cannot_be_trained_on_leaves_the_old_bundle(
    bundle: Path, tmp_path: Path, rows: str, options: tuple[str, ...], kind: str
) -> None:
    folder = tmp_path / "place" / "bundle"
    bundle_folder.save(bundle_folder.load(bundle), folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    result, _ = command_line.refusal(train(make_tables.write_text(tmp_path, HEADER + rows), folder, *options))
    assert result == kind
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == ["bundle"]


def test_what_check_calls_blocked_is_trained_only_if_that_is_wanted(tmp_path: Path) -> None:
    """49 buyers, one fewer than the least; most come back, at their own pace, and spend unlike each other."""
    rows = "".join(
        f"c-{k:02},1998-{m:02}-{1 + (7 * k + 3 * m) % 28:02},{5 + k % 7},1\n"
        for k in range(49)
        for m in range(1, 7)
        if (k + m * m) % 4
    )
    source, folder = make_tables.write_text(tmp_path, HEADER + rows), tmp_path / "bundle"
    kind, message = command_line.refusal(train(source, folder))
    assert kind == "NotEnoughData"
    assert "49 buyers, 500 needed" in message
    assert "--even-blocked" in message
    assert not folder.exists()
    done = train(source, folder, "--value-days", "30", "--even-blocked")
    assert done.returncode == 0, done.stderr
    assert bundle_folder.load(folder).churn.stack.trees is None


def test_training_over_somebody_elses_folder_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("ten years", encoding="ascii")
    kind, _ = command_line.refusal(train(tmp_path / "not even looked for.csv", tmp_path / "mine"))
    assert kind == "CannotWrite"
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


# --- what looks odd and must work


def test_odd_but_honest_input_is_scored(bundle: Path, tmp_path: Path) -> None:
    """A byte order mark, blanks and other scripts in ids, amounts that are none among many that are."""
    ids = ["007", "a b", "Zoë", "客户"]
    lines = "".join(f"{ids[k % 4]},1998-0{1 + k % 6}-0{1 + k % 9},{k}.5,1\n" for k in range(40))
    data = make_tables.write_text(tmp_path, "\ufeff" + HEADER + lines + "007,1998-06-01,NaN,1\na b,1998-06-01,inf,1\n")
    result = command_line.one_object(score(data, bundle, tmp_path / "s.parquet", "--json"))
    assert result["customers"] == 4
    assert result["reading"]["transactions"]["dropped"] == {"unparsable_amount": 2}
    assert sorted(parquet.read_table(tmp_path / "s.parquet")["customer_id"].to_pylist()) == sorted(ids)


def test_a_million_rows_of_one_customer_are_scored(bundle: Path, tmp_path: Path) -> None:
    n = 1_000_000
    days = np.datetime64("1997-01-01") + np.arange(n) % 540
    amounts = np.full(n, 0.01)
    table = pa.table({"customer_id": ["c"] * n, "ordered_at": days, "amount": amounts, "quantity": amounts})
    source = scored_tables.write(tmp_path, table)
    result = command_line.one_object(score(source, bundle, tmp_path / "s.parquet", "--json"))
    assert result["customers"] == 1
    row = parquet.read_table(tmp_path / "s.parquet").to_pylist()[0]
    assert 0 <= row["p_churn"] <= 1
    assert row["value_low"] <= row["value_high"]
