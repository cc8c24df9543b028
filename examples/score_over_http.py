"""Ask a running service for two scores: python examples/score_over_http.py [http://127.0.0.1:3000]

Start it first: tiercast serve --bundle out/bundle
Where it asks for a key: TIERCAST_KEY=tck_... python examples/score_over_http.py
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


def ask(address: str, request: dict[str, Any]) -> dict[str, Any]:
    """The service's answer; of a refusal, what is wrong and what to do."""
    body = json.dumps(request).encode()
    headers = {"Content-Type": "application/json"}
    if "TIERCAST_KEY" in os.environ:
        headers["Authorization"] = f"Bearer {os.environ['TIERCAST_KEY']}"
    post = urllib.request.Request(f"{address}/v1/score", body, headers)  # noqa: S310
    try:
        with urllib.request.urlopen(post, timeout=60) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as refused:
        error = json.load(refused)["error"]
        places = ", ".join(field["path"] for field in error.get("fields", []))
        raise SystemExit(f"{error['code']}: {error['message']}\nHint: {error['hint']}\n{places}") from None
    except urllib.error.URLError as error:
        raise SystemExit(f"no service at {address} ({error.reason}); start it: tiercast serve") from None


def main() -> None:
    address = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:3000"
    answer = ask(address, REQUEST)
    for score in answer["scores"]:
        risk = "" if score["p_churn"] is None else f", value {score['value']:.2f}, p_churn {score['p_churn']:.0%}"
        print(f"{score['customer_id']}: tier {score['tier']}{risk}; {'; '.join(score['reason_texts'])}")
        print(f"  -> {score['action_text']}")
    print(f"dropped: {answer['dropped']}")


if __name__ == "__main__":
    main()
