#!/usr/bin/env bash
# Makes the released encoder of label sets (release/all) on a CPU, and measures it on packages that it was not trained
# on. Killed at any moment, it goes on when run again.
#
#   DATA=folder with meta.csv  MATERIAL=folder with listing.csv  WEIGHTS=folder with efficientat/  runs/release_sets.sh
#
# MATERIAL is made by runs/material/fetch.sh; packages with held = 1 are measured only. DATA gives its free licences.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${WEIGHTS:?}"
PYTHON=${PYTHON:-.venv/bin/python}
RUN=${RUN:-outputs/release-sets} CACHE=${CACHE:-outputs/figures} VIEWS=${VIEWS:-112000} COMPOUNDS=${COMPOUNDS:-24000}
START=${START:-null} EPOCHS=${EPOCHS:-8} LR=${LR:-0.002}   # the shipped one started from another, see MODEL_CARD.md

source runs/material/corpora.sh

"$PYTHON" scripts/pretrain_sets.py run="$RUN" cache="$CACHE" views="$VIEWS" compounds="$COMPOUNDS" validation_views=4000 "corpora={$corpora}" \
  split.train=0.88 split.validation=0.12 split.test=0 recipe.context_s=5 "backbone={name:mn04,weights:$WEIGHTS/efficientat}" \
  start="$START" fitting.epochs="$EPOCHS" fitting.lr="$LR"
"$PYTHON" scripts/probe_sets.py run="$RUN" views=1000 out=results/release_sets.csv "unseen={$held}"
"$PYTHON" scripts/export.py run="$RUN" to=contrastive_artifacts/release/all "clean={$held}"   # thresholds from all clean sound
echo all > contrastive_artifacts/release/default   # what "release" stands for
"$PYTHON" analysis/default_six.py "corpora={$held}"   # results/default_six.csv: one of seven labels, beside release/mn04
