"""Score two customers with a running service: python examples/score_over_http.py [http://127.0.0.1:3000]

Start it first: tiercast serve --bundle out/bundle
With a key, where the service needs one: TIERCAST_KEY=tck_... python examples/score_over_http.py
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from typing import Any

REQUEST = {
    "as_of": "1998-07-01",
    "lang": "en",
    "customers": [
        {
            "customer_id": "00917",
            "transactions": [
                {"ordered_at": "1997-03-01", "amount": 14.99, "quantity": 1},
                {"ordered_at": "1997-04-12", "amount": 29.50, "quantity": 2},
                {"ordered_at": "1998-06-02", "amount": 12.00, "quantity": 1},
            ],
        },
        {"customer_id": "00918", "transactions": []},
    ],
}


def score(address: str, request: dict[str, Any]) -> dict[str, Any]:
    """The response as a dictionary. Ends the program with the message and the hint of an error response."""
    body = json.dumps(request).encode()
    headers = {"Content-Type": "application/json"}
    if "TIERCAST_KEY" in os.environ:
        headers["Authorization"] = f"Bearer {os.environ['TIERCAST_KEY']}"
    post = urllib.request.Request(f"{address}/v1/score", body, headers)  # noqa: S310
    try:
        with urllib.request.urlopen(post, timeout=60) as response:  # noqa: S310
            scored: dict[str, Any] = json.load(response)
            return scored
    except urllib.error.HTTPError as refused:
        error = json.load(refused)["error"]
        places = ", ".join(field["path"] for field in error.get("fields", []))
        raise SystemExit(f"{error['code']}: {error['message']}\nHint: {error['hint']}\n{places}") from None
    except urllib.error.URLError as error:
        raise SystemExit(f"no service at {address} ({error.reason}); start it: tiercast serve") from None


def main() -> None:
    address = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:3000"
    response = score(address, REQUEST)
    for row in response["scores"]:
        risk = "" if row["p_churn"] is None else f", value {row['value']:.2f}, p_churn {row['p_churn']:.0%}"
        print(f"{row['customer_id']}: tier {row['tier']}{risk}; {'; '.join(row['reason_texts'])}")
        print(f"  -> {row['action_text']}")
    print(f"dropped: {response['dropped']}")


if __name__ == "__main__":
    main()
