"""What the OpenAPI document shows for the stored scores: requests that can be sent as they are."""

from __future__ import annotations

from typing import Any

LOOKUP: dict[str, Any] = {"customer_ids": ["00917", "00918"], "lang": "en"}
HISTORY: dict[str, Any] = {"customer_id": "00917"}
SEARCH: dict[str, Any] = {
    "tiers": ["A", "B"],
    "p_churn": {"min": 0.6},
    "moved": ["down"],
    "sort": "-value_at_risk",
    "limit": 50,
}
