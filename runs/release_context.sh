#!/usr/bin/env bash
# Makes the context release: a module over the patches of the release encoder that hears slow artifacts in windows of 10 s.
#
#   DATA=folder with meta.csv (columns set, file, source_id)  runs/release_context.sh
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DATA:?}"
PYTHON=${PYTHON:-.venv/bin/python}
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
run=outputs/release-slow

"$PYTHON" scripts/pretrain_context.py run="$run" workers="${WORKERS:-2}" \
  corpus=folder corpus.path="$DATA" corpus.csv=meta.csv "corpus.file='{set}/{file}'" \
  "corpus.where={set: [music, speech_libri, fx]}"
"$PYTHON" scripts/probe.py run="$run" draws=1 duration_s=10 probes=[linear] \
  'unseen={builtin: {kind: builtin, sources: 36, duration_s: 30.0, seed: 7}}'
"$PYTHON" scripts/export.py run="$run" to=contrastive_artifacts/release/slow same_as=mn04 duration_s=10 draws=1
