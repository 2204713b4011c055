#!/usr/bin/env bash
# Makes the weights that ship with the package, on a CPU: adapts both backbones from their AudioSet weights to the
# development audio and exports the encoders with their probes. Killed at any moment, it goes on when run again.
#
#   DATA=folder with meta.csv (columns set, file, source_id)  WEIGHTS=folder with yamnet/ and efficientat/  runs/release_cpu.sh
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DATA:?}" "${WEIGHTS:?}"
PYTHON=${PYTHON:-.venv/bin/python}
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}   # the second core renders views

train() {  # backbone, weights, steps
  run=outputs/release-$1
  "$PYTHON" scripts/pretrain.py run="$run" backbone="$1" backbone.weights="$2" trainer.steps="$3" trainer.patience=0 trainer.workers=${WORKERS:-1} \
    corpus=folder corpus.path="$DATA" corpus.csv=meta.csv "corpus.file='{set}/{file}'" \
    split.train=0.85 split.validation=0.15 split.test=0
  "$PYTHON" scripts/probe.py run="$run" draws=1
  "$PYTHON" scripts/export.py run="$run" to="contrastive_artifacts/release/$1"
}

train mn04 "$WEIGHTS/efficientat" "${MN04_STEPS:-1000}"
train yamnet "$WEIGHTS/yamnet" "${YAMNET_STEPS:-120}"
