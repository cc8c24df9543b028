from __future__ import annotations

import io
import re
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq

from tests.repo import tree
from tiercast.contract import scores
from tiercast.tiers import actions, families, grid, reason_texts, texts
from tiercast.tiers.conditions import Condition

PAGE = (tree.ROOT / "docs" / "scores.md").read_text(encoding="utf-8")
PROMISED = {  # the order and types that downstream jobs were promised
    "customer_id": pa.string(),
    "as_of": pa.date32(),
    "tier": pa.string(),
    "status": pa.string(),
    "p_churn": pa.float64(),
    "loyalty": pa.float64(),
    "p_alive": pa.float64(),
    "expected_orders": pa.float64(),
    "expected_order_value": pa.float64(),
    "clv": pa.float64(),
    "value": pa.float64(),
    "value_low": pa.float64(),
    "value_high": pa.float64(),
    "p_high_value": pa.float64(),
    "tier_confidence": pa.float64(),
    "is_borderline": pa.bool_(),
    "reasons": pa.list_(pa.string()),
    "action": pa.string(),
    "model": pa.string(),
    "raw_tier": pa.string(),  # since format 2; whatever comes new comes after these
    "p_order": pa.float64(),
    "orders_if_any": pa.float64(),
    "value_per_order": pa.float64(),
    "disagreement": pa.bool_(),
}


def table(heading: str) -> dict[str, list[str]]:
    """The rows of the first table under a heading, by their first cell without its marks."""
    under = PAGE.split(f"\n{heading}\n", 1)[1]
    lines = re.search(r"(?:^\|.*\n)+", under, re.MULTILINE)
    assert lines is not None
    cells = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in lines[0].splitlines()[2:]]
    return {row[0].strip("`"): row[1:] for row in cells}


def test_the_columns_are_those_promised_in_name_type_and_order() -> None:
    found = scores.schema("GBP", 90, 365)
    assert dict(zip(found.names, found.types, strict=True)) == PROMISED
    assert tuple(found.names) == scores.NAMES == tuple(PROMISED)


def test_a_parquet_file_tells_what_its_columns_mean() -> None:
    file = io.BytesIO()
    pq.write_table(scores.schema("GBP", 60, 180, extra={"value_cut": 120.5}).empty_table(), file)
    found = pq.read_schema(file)
    assert scores.about(found)["value_cut"] == 120.5
    assert "no order in [as_of, as_of + 60 days)" in scores.about(found)["label"]
    assert scores.about(found.field("p_churn"))["orientation"] == "higher is riskier"
    assert scores.about(found.field("value"))["window"] == "[as_of, as_of + 180 days)"
    assert scores.about(found.field("expected_order_value"))["unit"] == "GBP per order"


def test_the_label_of_a_company_is_carried_as_given() -> None:
    assert (
        scores.about(scores.schema("GBP", 90, 365, "no paid order in a quarter"))["label"]
        == "no paid order in a quarter"
    )


def test_what_the_caller_adds_cannot_overwrite_the_contract() -> None:
    assert scores.about(scores.schema("GBP", 90, 365, extra={"currency": "EUR"}))["currency"] == "GBP"


def test_the_same_definition_gives_the_same_bytes() -> None:
    one = scores.schema("GBP", 90, 365, extra={"b": 1, "a": 2})
    two = scores.schema("GBP", 90, 365, extra={"a": 2, "b": 1})
    assert one.serialize().to_pybytes() == two.serialize().to_pybytes()


def test_a_foreign_table_says_nothing_of_ours() -> None:
    assert scores.about(pa.schema([("x", pa.int64())])) == {}


def test_reading_the_names_does_not_load_arrow() -> None:
    code = "import sys; from tiercast.contract import scores; print(len(scores.NAMES), 'pyarrow' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], check=True, cwd=tree.ROOT, capture_output=True, text=True)
    assert answer.stdout.split() == ["24", "False"]


def test_the_page_lists_every_column_as_the_code_has_it() -> None:
    windows = {"": "", "churn": "`[as_of, as_of + churn_days)`", "value": "`[as_of, as_of + value_days)`"}
    expected = {
        c.name: [c.type, c.meaning, c.unit, c.orientation, windows[c.window], c.null_when] for c in scores.SCORES
    }
    assert table("## Columns") == expected
    assert list(table("## Columns")) == list(expected)


def test_the_page_lists_every_tier_as_the_code_has_it() -> None:
    found = {letter: row[2:] for letter, row in table("## Tiers").items()}
    assert found == {letter: [*texts.tier(letter), *texts.tier(letter, "zh")] for letter in grid.TIERS}


def rules_in_words(code: str) -> str:
    rules = [r for f in families.FAMILIES for r in (*f.risk, *f.loyalty) if r.code == code] or [
        families.NEVER_ORDERED if code == "never_ordered" else families.Reason(code)
    ]
    return " or ".join(joined(rule.when) for rule in rules)


def joined(when: tuple[Condition, ...]) -> str:
    return " and ".join(f"`{one}`" for one in when) or "always"


def both(wording: reason_texts.Wording) -> str:
    return " / ".join(dict.fromkeys(wording))


def test_the_page_lists_every_reason_with_its_rule_and_texts_as_the_code_has_them() -> None:
    expected = {}
    for code, said in reason_texts.REASON_TEXTS.items():
        family, way = families.BY_CODE.get(code, ("–", "–"))
        expected[code] = [family, way, rules_in_words(code), both(said["en"]), both(said["zh"])]
    assert table("## Reasons") == expected


def test_the_page_lists_every_action_and_the_playbook_as_the_code_has_them() -> None:
    assert table("## Actions") == {code: [said["en"], said["zh"]] for code, said in actions.ACTIONS.items()}
    found = {tier: re.findall(r"[a-z_0-9]+", " ".join(row)) for tier, row in table("### The playbook").items()}
    expected = {
        tier: [entries["default"], *(word for pair in entries.items() if pair[0] != "default" for word in pair)]
        for tier, entries in actions.PLAYBOOK.items()
    }
    assert found == expected
