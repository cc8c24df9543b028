#!/bin/sh
# Ask a running service about published scores: sh examples/stored_scores.sh [http://127.0.0.1:3000]
#
# Start it first:  tiercast publish scores.parquet --store scores.db
#                  tiercast serve --bundle out/bundle --store scores.db
# Where there are keys:  export TIERCAST_KEY=tck_...
set -eu
address="${1:-http://127.0.0.1:3000}"

ask() { # address of the question, and the body if there is one
    path="$1"
    shift
    curl --fail-with-body -sS "$address$path" ${TIERCAST_KEY:+-H "Authorization: Bearer $TIERCAST_KEY"} "$@"
    echo
}

json='Content-Type: application/json'

echo "the grid, and who moved:"
ask /v1/grid

echo "the three with most money at risk in tier B:"
ask /v1/customers/search -H "$json" -d '{"tiers": ["B"], "sort": "-value_at_risk", "limit": 3}'

echo "two customers, one of whom nobody knows:"
ask /v1/customers/lookup -H "$json" -d '{"customer_ids": ["00917", "nobody"]}'

echo "one customer through the generations:"
ask /v1/customers/history -H "$json" -d '{"customer_id": "00917"}'

echo "everybody in tier B for a spreadsheet: slipping.csv"
ask /v1/customers/search -H "$json" -d '{"tiers": ["B"], "format": "csv"}' -o slipping.csv
