from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tiercast.contract import errors
from tiercast.serving.jobs import sources

SHOP = '[sources.shop]\ntransactions = "orders.parquet"\nout = "scores/shop-{as_of}.parquet"\n'
JULY = dt.date(1998, 7, 1)


def written(folder: Path, text: str) -> Path:
    file = folder / "jobs.toml"
    file.write_text(text)
    return file


def test_paths_are_meant_from_the_folder_of_the_file_wherever_the_service_runs(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    more = 'customers = "/data/people.csv"\ncolumns = {ordered_at = "when"}\n'
    shop = sources.read(written(tmp_path / "conf", SHOP + more)).sources["shop"]
    tables = shop.tables()
    assert tables.transactions == str(tmp_path / "conf" / "orders.parquet")
    assert tables.customers == "/data/people.csv"
    assert tables.columns == {"ordered_at": "when"}
    assert shop.target(JULY) == tmp_path / "conf" / "scores" / "shop-1998-07-01.parquet"


def test_without_a_section_of_its_own_one_job_runs_at_a_time(tmp_path: Path) -> None:
    assert sources.read(written(tmp_path, SHOP)).jobs.at_once == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SHOP + 'trensactions = "x"\n', "sources.shop.trensactions: an unknown key is not permitted"),
        (SHOP + "publish = 1\n", "sources.shop.publish: input should be a valid boolean"),
        ("[sources.shop]\ntransactions = 'a'\n", "sources.shop.out: field required"),
        (SHOP.replace("shop]", "Shop]"), "sources.Shop: string should match pattern"),
        (SHOP.replace("shop]", "'a/../b']"), "sources.a/../b: string should match pattern"),
        (SHOP.replace("{as_of}", "{day}"), "sources.shop.out: must be a file such as"),
        (SHOP.replace(".parquet", ".csv"), "sources.shop.out: must be a file such as"),
        (SHOP + "[jobs]\nat_once = 0\n", "jobs.at_once: input should be greater than or equal to 1"),
        ("[jobs]\nat_once = 1\n", "sources: field required"),
        (SHOP + "[more]\nx = 1\n", "more: an unknown key is not permitted"),
    ],
)
def test_an_invalid_setting_is_named_by_its_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(errors.BadInput, match="1 setting: settings are not allowed") as caught:
        sources.read(written(tmp_path, text))
    assert message in str(caught.value.first)
    assert "docs/service.md" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (SHOP + SHOP.replace("shop]", "other]"), "two sources write the same file"),
        (
            SHOP + "publish = true\n[sources.b]\ntransactions = 'b'\nout = 'b.parquet'\npublish = true\n",
            "serves one base",
        ),
        (SHOP.replace("-{as_of}", "") + "previous = true\n", "found by their day"),
        (SHOP + "keep = 3\n", "only kept where scores are published"),
        (SHOP + "columns = {total = 'Total'}\n", "need no column 'total'"),
        ("this is no TOML", "cannot be read"),
    ],
)
def test_settings_that_cannot_mean_anything_together_are_refused(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(errors.BadInput, match=what):
        sources.read(written(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.BadInput, match="no such file or directory") as caught:
        sources.read(tmp_path / "none.toml")
    assert str(caught.value.first).startswith(str(tmp_path / "none.toml"))


def test_the_last_scores_are_those_of_the_newest_day_before(tmp_path: Path) -> None:
    shop = sources.read(written(tmp_path, SHOP + "previous = true\n")).sources["shop"]
    assert shop.previous_scores(JULY) is None
    (tmp_path / "scores").mkdir()
    for day in ("1998-05-01", "1998-06-01", "1998-07-01", "1998-08-01"):
        (tmp_path / "scores" / f"shop-{day}.parquet").touch()
    (tmp_path / "scores" / "shop-1998-06-15.parquet.old").touch()
    assert shop.previous_scores(JULY) == str(tmp_path / "scores" / "shop-1998-06-01.parquet")
    assert sources.read(written(tmp_path, SHOP)).sources["shop"].previous_scores(JULY) is None


def test_every_key_stands_on_the_service_s_page() -> None:
    page = (Path(sources.__file__).parents[3] / "docs" / "service.md").read_text()
    section = page.partition("## Batch jobs")[2].partition("\n## ")[0]
    keys = {*sources.QueueSettings.model_fields, *sources.ConfiguredSource.model_fields}
    assert not [key for key in keys if f"`{key}`" not in section]


def test_the_example_on_the_page_can_be_read(tmp_path: Path) -> None:
    page = (Path(sources.__file__).parents[3] / "docs" / "service.md").read_text()
    shop = sources.read(written(tmp_path, page.partition("```toml\n")[2].partition("```")[0])).sources["shop"]
    assert shop.publish
    assert shop.columns["amount"] == "Total"
