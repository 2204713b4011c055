#!/usr/bin/env bash
# A transformer small enough to train on a CPU (AST of 3 layers, 96 wide, windows of 10 s), on slow and quick artifacts,
# for analysis/long_range_context.py +encoders.small-ast=outputs/small-ast. About half an hour on one busy core.
#
#   DATA=folder with meta.csv (columns set, file, source_id)  runs/small_transformer.sh
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DATA:?}"
PYTHON=${PYTHON:-.venv/bin/python}
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}   # the second core renders views
"$PYTHON" scripts/pretrain.py run="${RUN:-outputs/small-ast}" window_s=10 encoder.detail=1 \
  backbone=ast backbone.weights=none +backbone.stride=16 +backbone.depth=3 +backbone.dim=96 +backbone.heads=4 \
  "artifacts.states=[hiss,clicks,dropout,hum,periodic_clicks,wow_flutter,pumping,print_through,gain_step]" \
  corpus=folder corpus.path="$DATA" corpus.csv=meta.csv "corpus.file='{set}/{file}'" \
  'corpus.where={set: [music,speech_libri,fx]}' split.train=0.9 split.validation=0.1 split.test=0 optim.lr_bottom=1e-3 \
  trainer.steps="${STEPS:-400}" trainer.sources=4 trainer.validate_every=100 trainer.patience=0 trainer.validation_clips=12
