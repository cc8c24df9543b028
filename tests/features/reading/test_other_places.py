"""A MySQL table, a file behind an address and objects of a store are read like the file on this machine."""

from __future__ import annotations

import contextlib
import functools
import http.server
import pathlib
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest

from tests import make_tables
from tests.read_tables import refusal, rows
from tiercast.contract import errors

MARIADB = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
SETUP = """
    CREATE DATABASE shop;
    CREATE TABLE shop.`Or``ders` (
        customer_id BIGINT UNSIGNED, placed TIMESTAMP(6) NULL, amount DECIMAL(12, 2),
        paid DATETIME, channel VARCHAR(20), photo BLOB) CHARACTER SET utf8mb4;
    SET time_zone = '+02:00';
    INSERT INTO shop.`Or``ders` VALUES
        (18446744073709551615, '2024-02-29 00:30:00.25', 1250.50, '2024-02-29 00:30', 'Zürich', x'00ff'),
        (7, '2024-01-30 12:00:00', -3, '2024-01-30 12:00', NULL, NULL),
        (NULL, '2024-01-31 12:00:00', 5, NULL, '', NULL);
    CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'geh#eim';
    GRANT SELECT ON shop.* TO reader@'127.0.0.1';
"""


@pytest.fixture(scope="module")
def mysql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a MariaDB server of its own; its password is in the environment."""
    if not pathlib.Path(MARIADB).exists():
        pytest.skip("no mariadbd on this machine")
    folder = tmp_path_factory.mktemp("mariadb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    statements = " ".join(SETUP.split()).replace("; ", ";\n")
    (folder / "setup.sql").write_text(statements + "\n", encoding="utf-8")
    plain = ("--no-defaults", f"--datadir={folder}/data", "--user=root")
    subprocess.run(
        ["mariadb-install-db", *plain, "--auth-root-authentication-method=normal"], check=True, capture_output=True
    )
    address = ("--bind-address=127.0.0.1", f"--port={port}", f"--socket={folder}/s", f"--init-file={folder}/setup.sql")
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([MARIADB, *plain, *address, "--character-set-server=utf8mb4"], stderr=log)
    try:
        _wait(port)
        yield f"mysql://reader@127.0.0.1:{port}/shop"
    finally:
        server.terminate()
        server.wait(30)


def _wait(port: int) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError("the server did not start")


@pytest.mark.may_skip("Debian's mariadb-server is no wheel")
def test_a_mysql_table_gives_the_rows_of_its_export(
    mysql: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYSQL_PWD", "geh#eim")
    exported = make_tables.write_text(
        tmp_path,
        "customer_id,placed,amount,channel\n18446744073709551615,2024-02-28 22:30:00.25,1250.50,Zürich\n"
        "7,2024-01-30 10:00:00,-3.00,\n,2024-01-31 10:00:00,5.00,\n",
    )
    renames = {"ordered_at": "placed"}
    expected = rows(exported, columns=renames)
    assert len(expected) == 2
    for source in (f"{mysql}?table=Or`ders", f"{mysql}#Or`ders", f"{mysql}?table=shop.Or`ders"):
        assert rows(source, columns=renames) == expected


@pytest.mark.may_skip("Debian's mariadb-server is no wheel")
def test_a_mysql_table_that_cannot_be_read_is_refused_without_the_password(
    mysql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYSQL_PWD", "geh#eim")
    assert "doesn't exist" in refusal(errors.SourceUnreadable, f"{mysql}?table=orders").what
    binary = refusal(
        errors.SourceUnreadable, f"{mysql}?table=Or`ders", columns={"ordered_at": "placed", "channel": "photo"}
    )
    assert "binary" in binary.what
    assert "0 tables" in refusal(errors.SourceUnreadable, mysql).what
    monkeypatch.setenv("MYSQL_PWD", "wrong")
    assert "Access denied" in refusal(errors.SourceUnreadable, f"{mysql}?table=orders").what
    error = refusal(errors.SourceUnreadable, "mysql://reader:geheim@127.0.0.1:1/shop?table=orders")
    assert "geheim" not in str(error)
    assert error.first == "mysql://127.0.0.1:1/shop?table=orders"


@pytest.fixture
def served(tmp_path: pathlib.Path) -> Iterator[str]:
    """The address of a web server over the test's folder."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/moved"):
                self.send_response(302)
                self.send_header("Location", self.path.removeprefix("/moved"))
                self.end_headers()
            elif self.path.startswith("/away"):
                self.send_response(302)
                self.send_header("Location", "http://192.0.2.1/orders.csv")
                self.end_headers()
            elif self.path.startswith("/short"):
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b"customer_id,")
            else:
                super().do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=tmp_path)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_file_behind_an_address_is_read_as_from_the_disk(served: str, tmp_path: pathlib.Path) -> None:
    for name in ("orders.parquet", "orders.csv"):
        expected = rows(make_tables.write(tmp_path, make_tables.transactions(), name))
        assert rows(f"{served}/{name}?signature=secret") == expected
        assert rows(f"{served}/moved/{name}") == expected


@pytest.mark.parametrize("path", ["nothere.csv", "short.csv", "away.csv"])
def test_an_address_that_does_not_give_a_whole_file_is_refused(served: str, path: str) -> None:
    error = refusal(errors.SourceUnreadable, f"{served}/{path}?signature=secret")
    assert "secret" not in str(error)


def test_a_server_that_is_not_there_is_refused_with_the_reason() -> None:
    error = refusal(errors.SourceUnreadable, "https://127.0.0.1:1/orders.csv?signature=secret")
    assert error.what.startswith("the file cannot be fetched: Failed to establish a new connection")
    assert "secret" not in str(error)


def test_plain_http_from_another_machine_is_refused() -> None:
    assert "https://" in refusal(errors.SourceUnreadable, "http://192.0.2.1/orders.csv").hint


def test_a_store_that_is_not_there_is_refused_in_time() -> None:
    there = "scheme=http&endpoint_override=127.0.0.1:1&retry_limit_seconds=1"
    began = time.monotonic()
    error = refusal(errors.SourceUnreadable, f"gs://anonymous@shop/orders.csv?{there}")
    assert error.first == "gs://shop/orders.csv"
    assert time.monotonic() - began < 60


def test_an_object_and_a_folder_of_s3_are_read_as_from_the_disk(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moto.server import ThreadedMotoServer
    from pyarrow import fs

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tester")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "geheim")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        options = f"?scheme=http&region=us-east-1&endpoint_override={host}:{port}"
        store = fs.S3FileSystem(
            endpoint_override=f"{host}:{port}", scheme="http", region="us-east-1", allow_bucket_creation=True
        )
        store.create_dir("shop")
        path = make_tables.write(tmp_path, make_tables.transactions())
        for key in ("orders.parquet", "all/year=2024/a.parquet"):
            with store.open_output_stream(f"shop/{key}") as stream:
                stream.write(pathlib.Path(path).read_bytes())
        for key in ("orders.parquet", "all"):
            assert rows(f"s3://shop/{key}{options}") == rows(path)
        assert "no such object" in refusal(errors.SourceUnreadable, f"s3://shop/nothere.csv{options}").what
        assert "geheim" not in str(refusal(errors.SourceUnreadable, f"s3://nobucket/a.csv{options}"))
    finally:
        server.stop()
