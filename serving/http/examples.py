"""What the OpenAPI document shows: requests that can be sent as they are, and what came back for one."""

from __future__ import annotations

from typing import Any

SCORE_REQUEST: dict[str, Any] = {
    "as_of": "1998-07-01",
    "lang": "en",
    "customers": [
        {
            "customer_id": "00917",
            "transactions": [
                {"ordered_at": "1997-03-01", "amount": 14.99, "quantity": 1},
                {"ordered_at": "1997-04-12T18:30:00", "amount": 29.5, "quantity": 2},
                {"ordered_at": "1997-04-20", "amount": -14.99, "quantity": 1},
            ],
        },
        {"customer_id": "00918", "transactions": []},
    ],
}
