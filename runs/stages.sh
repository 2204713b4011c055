#!/usr/bin/env bash
# One stage against three at equal steps, and clip labels alone: mn04 on ESC-10 clips. Writes results/stages.csv.
#
#   DATA=folder with meta.csv (columns set, file, source_id)  WEIGHTS=folder with the published file  runs/stages.sh
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DATA:?}" "${WEIGHTS:?}"
PYTHON=${PYTHON:-.venv/bin/python}
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}   # the second core renders views
STEPS=${STEPS:-200} SEED=${SEED:-0} OUT=${OUT:-outputs/stages}

train() {  # name, settings of its own
  run=$OUT/$1-$SEED; shift
  "$PYTHON" scripts/pretrain.py run="$run" seed="$SEED" backbone.weights="$WEIGHTS" \
    corpus=folder corpus.path="$DATA" corpus.csv=meta.csv "corpus.file='{set}/{file}'" 'corpus.where={set: esc10}' \
    split.train=0.6 split.validation=0.1 split.test=0.3 trainer.steps="$STEPS" trainer.validate_every=40 \
    trainer.sources=6 trainer.patience=0 trainer.validation_clips=16 "$@"
  "$PYTHON" scripts/probe.py run="$run" draws=1 probes=[linear] bootstrap=200 duration_s=3.0
}

train three-stages trainer=stages
train one-stage encoder.frame_hop_s=0.06 objective.frames=1.0 views.spliced=0.5
train clip-labels
"$PYTHON" analysis/stages.py out="$OUT"
