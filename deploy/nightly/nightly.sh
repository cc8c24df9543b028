#!/usr/bin/env bash
# Score every customer as of a day and serve the scores: nightly.sh ORDERS FOLDER [DAY], with the day of today by default.
# The store is TIERCAST_STORE, the registry MLFLOW_TRACKING_URI. The exit code is that of the command that failed:
# 1 may succeed when it is tried again, 2 (wrong usage or bad input) needs a person. A killed run goes on when it is repeated.
set -euo pipefail

if [ $# -lt 2 ]; then
    echo "usage: nightly.sh ORDERS FOLDER [DAY]" >&2
    exit 2
fi
day=${3:-$(date -u +%F)}
tiercast score "$1" --as-of "$day" --model champion --out "$2/$day.parquet"
tiercast publish "$2/$day.parquet"
