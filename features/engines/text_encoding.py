"""Check that text files are UTF-8, for an engine that does not, and name the likely encoding of one that is not.

>>> likely("客户编号,日期".encode("gb18030")), likely("Zoë,Müller".encode("cp1252"))
('gb18030', 'cp1252')
"""

from __future__ import annotations

import gzip
import pathlib
from collections.abc import Sequence

from tiercast.contract import errors

SAMPLE = 1 << 20
CHINESE_SHARE = 0.5


def check(files: Sequence[str]) -> None:
    """Raise `SourceUnreadable` with the line of the first byte that is not UTF-8. Remote files are not checked."""
    for file in files:
        if "://" not in file:
            _check(file)


def _check(file: str) -> None:
    try:
        with gzip.open(file) if file.endswith(".gz") else pathlib.Path(file).open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.isascii():
                    _decode(line, file, number)
    except (OSError, EOFError) as error:
        hint = "write it again from its source; it may have been cut off while it was copied"
        raise errors.SourceUnreadable(f"the source cannot be read: {error}", first=file, hint=hint) from error


def _decode(line: bytes, file: str, number: int) -> None:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise errors.SourceUnreadable(
            "the source cannot be read: Invalid unicode",
            first=f"{file}, line {number}",
            hint=propose(file),
        ) from error


def propose(file: str) -> str:
    """The option that reads a text file which is not UTF-8."""
    try:
        with gzip.open(file) if file.lower().endswith(".gz") else pathlib.Path(file).open("rb") as packed:
            encoding = likely(packed.read(SAMPLE))
    except (OSError, EOFError):
        encoding = "ENCODING"
    return f"it looks like {encoding}: pass --encoding {encoding}, or the encoding that it was written in"


def likely(sample: bytes) -> str:
    """gb18030 where most bytes that are no ASCII are pairs of the commonest Chinese characters, else cp1252.

    In GB 2312 these have a first byte from B0 to D7 and a second one from A1, which Western text hardly ever has.
    """
    pairs, position, n_foreign = 0, 0, 0
    while position < len(sample) - 1:
        first, second = sample[position], sample[position + 1]
        is_pair = first >= 0x81 and second >= 0x40
        n_foreign += first >= 0x80
        pairs += 0xB0 <= first <= 0xD7 and second >= 0xA1
        position += 2 if is_pair else 1
    return "gb18030" if n_foreign and pairs > CHINESE_SHARE * n_foreign else "cp1252"
