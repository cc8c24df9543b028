"""What `train` was told of the data's form is kept in the bundle; a configuration says it for every command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import command_line, make_tables
from tiercast.features.reading import presets, reading_options
from tiercast.features.reading.sources import Sources
from tiercast.models import bundle_folder
from tiercast.training.train import Trained

pytestmark = pytest.mark.slow
KEPT = {
    "columns": {"customer_id": "Kunde", "ordered_at": "Datum", "amount": "Betrag", "interactions.kind": "Art"},
    "dialect": {"decimal": ",", "date_format": "%d.%m.%Y", "encoding": "cp1252"},
}
ROWS = [(f"Zoë {k}", f"0{1 + k % 9}.0{1 + k % 6}.1998", f"{k}") for k in range(40)]
FILE = "Kunde;Datum;Betrag;quantity\n" + "".join(
    f"{who};{when};1.00{money},50;1\n" for who, when, money in ROWS if len(money) < 2
)
SAID = '[columns]\ncustomer_id = "Kunde"\nordered_at = "Datum"\namount = "Betrag"\n\n[reading]\n'


@pytest.fixture(scope="module")
def bundle(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept") / "bundle"
    about = trained.bundle.about._replace(reading=json.dumps(KEPT))
    bundle_folder.save(trained.bundle._replace(about=about), folder)
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_bytes(FILE.encode("cp1252"))
    return path


def test_score_and_explain_read_as_the_bundle_was_trained(bundle: Path, data: Path, tmp_path: Path) -> None:
    ends = ("--as-of", "1998-07-01", "--bundle", bundle, "--json")
    scored = command_line.run("score", data, *ends, "--out", tmp_path / "scores.parquet")
    assert command_line.one_object(scored)["customers"] == 10
    assert "--column amount=Betrag" in scored.stderr
    assert "--decimal ," in scored.stderr
    assert "interactions" not in scored.stderr
    explained = command_line.run("explain", data, *ends, "--customer", "Zoë 3")
    assert command_line.one_object(explained)["customers"][0]["customer_id"] == "Zoë 3"


def test_the_command_line_wins_over_the_bundle(bundle: Path, tmp_path: Path) -> None:
    plain = make_tables.write_text(tmp_path, "customer_id,ordered_at,amount,quantity\nZoë,1998-06-30,1.5,1\n")
    names = [f"--column={name}={name}" for name in ("customer_id", "ordered_at", "amount")]
    signs = ("--decimal", ".", "--date-format", "iso", "--encoding", "utf-8")
    ends = ("--as-of", "1998-07-01", "--bundle", bundle, "--out", tmp_path / "scores.parquet", "--json")
    scored = command_line.run("score", plain, *names, *signs, *ends)
    assert command_line.one_object(scored)["customers"] == 1
    assert "read as in" not in scored.stderr


def test_a_configuration_says_it_for_check_too(data: Path, tmp_path: Path) -> None:
    config = tmp_path / "tiercast.toml"
    config.write_text(SAID + 'decimal = ","\ndate_format = "%d.%m.%Y"\nencoding = "cp1252"\n')
    checked = command_line.run("check", data, "--config", config, "--as-of", "1998-07-01", "--json")
    read = json.loads(checked.stdout)["reading"]["transactions"]
    assert (read["rows_kept"], read["rows_read"]) == (10, 10)


def test_an_option_that_is_none_is_refused(data: Path, tmp_path: Path) -> None:
    config = tmp_path / "tiercast.toml"
    config.write_text('[reading]\ndecimals = ","\n')
    kind, _ = command_line.refusal(command_line.run("check", data, "--config", config))
    assert kind == "BadInput"


def test_options_come_back_from_a_bundle_as_they_were() -> None:
    given = reading_options.parse({"amount": "Total"}, {"duplicates": "drop", "timezone": "Asia/Shanghai"})
    sources = given.read_from("orders.csv", None, None, None)
    (shopify,) = presets.load("shopify")
    kept = reading_options.to_text(sources, shopify)
    assert reading_options.from_text(kept) == given._replace(presets=(shopify,))
    assert reading_options.to_text(Sources("orders.csv"), None) == ""
    assert reading_options.from_text("").read_from("orders.csv", None, None, None) == Sources("orders.csv")
