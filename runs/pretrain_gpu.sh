#!/usr/bin/env bash
# Pretrains an encoder on the GPUs of one machine: NGPU=1 or 8, the same global batch and the same loss. Killed at any
# moment, it goes on when run again with as many. Not run yet: the project's machines have no GPU.
#
#   DATA=folder with meta.csv (columns set, file, source_id)  WEIGHTS=folder of the backbone  [NGPU=8] [BACKBONE=mn10] runs/pretrain_gpu.sh
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DATA:?}" "${WEIGHTS:?}"
PYTHON=${PYTHON:-.venv/bin/python} NGPU=${NGPU:-1} BACKBONE=${BACKBONE:-mn10}
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}   # the cores render views

"$PYTHON" -m torch.distributed.run --standalone --nproc-per-node "$NGPU" scripts/pretrain.py \
  run="${RUN:-outputs/$BACKBONE-gpu-$NGPU}" trainer=gpu backbone="$BACKBONE" backbone.weights="$WEIGHTS" \
  trainer.device=cuda trainer.precision=bfloat16 trainer.compile="${COMPILE:-true}" \
  trainer.sources="${SOURCES:-256}" trainer.accumulate="${ACCUMULATE:-$((8 / NGPU))}" trainer.workers="${WORKERS:-$((96 / NGPU > 12 ? 12 : 96 / NGPU))}" \
  corpus=folder corpus.path="$DATA" corpus.csv=meta.csv "corpus.file='{set}/{file}'"
