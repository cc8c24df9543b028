from __future__ import annotations

from typing import Any

import pytest

from tests.serving.http import test_fuzz


@pytest.mark.parametrize("label", test_fuzz.NEED_A_STORE)
def test_every_response_of_a_store_is_documented(client: Any, label: str) -> None:
    test_fuzz.send_many(client, label)
