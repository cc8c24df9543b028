"""`tiercast score` as a process of its own leaves libraries out; what it writes is what it writes with them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from features.engines.duckdb import Engine
from features.reading import Sources
from models import bundle_folder
from serving import batch
from tests import scored_tables
from tests.scored_tables import AS_OF
from tiercast import cli, sparing
from training.train import Trained

LEFT_OUT = (
    "pandas",
    "numpy.f2py",
    "numpy.testing",
    "rich.progress",
    "scipy._lib._array_api",
    "sqlglot.dialects.oracle",
)
ELSEWHERE = ("lightgbm", "mlflow", "bentoml", "sqlalchemy", "pyspark", "matplotlib", "sklearn", "lifetimes")
AS_A_PROGRAM = """
import atexit, sys
from tiercast import cli
atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr))
cli.main()
"""
SPECIAL = """
from tiercast import sparing
sparing.start(["score"])
import scipy.special
from scipy.special import expit
functions = {name: getattr(scipy.special, name) for name in NAMES}
assert not hasattr(scipy.special, "__wrapped__")
assert "scipy._lib._array_api" not in sys.modules
assert len(scipy.special.roots_legendre(3)[0]) == 3  # no part of the compiled functions
assert "scipy._lib._array_api" in sys.modules
from scipy import stats
assert all(getattr(scipy.special, name) is function for name, function in functions.items())
assert abs(stats.norm.cdf(0.0) - 0.5) < 1e-12
"""
NAMES = ("betaln", "exprel", "expit", "gammaincinv", "gammaln", "hyp2f1", "log_expit", "logit")


@pytest.fixture(scope="module")
def bundle(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sparing") / "bundle"
    bundle_folder.save(trained.bundle, folder)
    return folder


def python(source: str, *arguments: str) -> str:
    """What a fresh interpreter says on stderr."""
    answer = subprocess.run([sys.executable, "-c", source, *arguments], check=False, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    return answer.stderr


@pytest.mark.parametrize("kind", [".parquet", ".csv"])
def test_a_scoring_process_leaves_libraries_out_and_writes_the_same_bytes(
    kind: str, bundle: Path, tmp_path: Path
) -> None:
    rows = scored_tables.purchases()
    data, ours, theirs = tmp_path / f"orders{kind}", tmp_path / "spared.parquet", tmp_path / "whole.parquet"
    overrides = tmp_path / "overrides.csv"
    first = rows["customer_id"][0].as_py()
    overrides.write_text(f"customer_id,tier,reason,by,until\n{first},A,a promise,me,1999-01-01\n", encoding="utf-8")
    if kind == ".csv":
        rows.to_pandas().to_csv(data, index=False)
    else:
        scored_tables.write(tmp_path, rows, data.name)
    options = ["--as-of", AS_OF.isoformat(), "--bundle", str(bundle), "--out", str(ours), "--overrides", str(overrides)]
    loaded = python(AS_A_PROGRAM, "score", str(data), *options, "--json").split()
    assert not {*LEFT_OUT, *ELSEWHERE} & set(loaded)
    assert {"duckdb", "ibis", "pyarrow"} <= set(loaded)
    with Engine() as engine:
        sources = Sources(str(data), overrides=str(overrides))
        batch.score_all(engine, bundle_folder.load(bundle), sources, AS_OF, theirs)
    assert ours.read_bytes() == theirs.read_bytes()


def test_the_rest_of_scipy_special_is_there_for_who_asks() -> None:
    python(f"import sys\nNAMES = {NAMES}\n{SPECIAL}")


def test_the_functions_are_scipys_own() -> None:
    import scipy.special
    from scipy.special import _ufuncs

    assert all(getattr(scipy.special, name) is getattr(_ufuncs, name) for name in NAMES)


def test_nothing_is_left_out_where_tiercast_is_part_of_another_program(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        cli.main(["score", str(tmp_path / "none.parquet"), "--as-of", "1998-07-01", "--bundle", str(bundle)])
    assert not any(isinstance(finder, sparing.Sparing) for finder in sys.meta_path)
