#!/usr/bin/env bash
# What the contrastive term of label sets is worth, where some kinds of faults are left out of training or labels are wrong:
# three seeds with and without it, on 8,000 views of the release, measured on packages that none was trained on. Half an
# hour of one core where the views of the release are cached.
#
#   DATA=folder with meta.csv  MATERIAL=folder with listing.csv  WEIGHTS=folder with efficientat/  runs/left_out.sh
set -euo pipefail
cd "$(dirname "$0")/.."
: "${WEIGHTS:?}"
PYTHON=${PYTHON:-.venv/bin/python} CACHE=${CACHE:-outputs/figures}
source runs/material/corpora.sh

"$PYTHON" analysis/left_out.py cache="$CACHE" views=8000 validation_views=4000 measured=2000 "corpora={$corpora}" "unseen={$held}" \
  split.train=0.88 split.validation=0.12 split.test=0 "backbone={name:mn04,weights:$WEIGHTS/efficientat}" fitting.epochs=6
