#!/usr/bin/env bash
# Builds the service as a Bento, for those who run BentoML's own platform: bash deploy/bento.sh [options of bentoml build]
#
# `bentoml build` does not follow the links in tiercast/, so it gets a copy with the folders in their place.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -RL tiercast deploy "$folder"
rm -rf "$folder/tiercast/training"
bentoml build -f "$folder/deploy/bentofile.yaml" "$@" "$folder"
