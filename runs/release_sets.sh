#!/usr/bin/env bash
# Makes the released encoder of label sets (release/all) on a CPU, and measures it on packages that it was not trained
# on. Killed at any moment, it goes on when run again.
#
#   DATA=folder with meta.csv  MATERIAL=folder with listing.csv  WEIGHTS=folder with efficientat/  runs/release_sets.sh
#
# MATERIAL is made by runs/material/fetch.sh; packages with held = 1 are measured only. DATA gives its free licences.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DATA:?}" "${MATERIAL:?}" "${WEIGHTS:?}"
PYTHON=${PYTHON:-.venv/bin/python}
RUN=${RUN:-outputs/release-sets} CACHE=${CACHE:-outputs/figures} VIEWS=${VIEWS:-88000} COMPOUNDS=${COMPOUNDS:-16000}

data() { echo "{kind:folder,path:$DATA,csv:meta.csv,file:'{set}/{file}',where:{set:$1${2:+,licence:[$2]}}}"; }
packages() { echo "{kind:folder,path:$MATERIAL,csv:listing.csv,columns:{unknown:unknown},where:{set:$1,held:$2}}"; }
music="'CC BY-SA 3.0','CC BY-SA 3.0/GPL','CC0/CC BY-SA/GPL-2+','GPL-2','GPL-2+','GPL-2+/CC BY-SA 4.0','GPL-3+/CC'"
effects="'CC BY-SA 3.0/GPL','CC0','CC0/CC BY/CC BY-SA','GPL-2','GPL-2+','GPL-3+/CC'"
corpora="speech:$(data speech_libri),music:$(data music "$music"),effects:$(data fx "$effects"),esc10:$(data esc10)"
corpora+=",speech_packages:$(packages speech 0),music_packages:$(packages music 0),effects_packages:$(packages fx 0)"
corpora+=",builtin:{kind:builtin,seed:0,sources:400,duration_s:6.0,sample_rate:44100}"

"$PYTHON" scripts/pretrain_sets.py run="$RUN" cache="$CACHE" views="$VIEWS" compounds="$COMPOUNDS" validation_views=4000 "corpora={$corpora}" \
  split.train=0.88 split.validation=0.12 split.test=0 "backbone={name:mn04,weights:$WEIGHTS/efficientat}"
held="speech:$(packages speech 1),music:$(packages music 1),effects:$(packages fx 1)"
"$PYTHON" scripts/probe_sets.py run="$RUN" views=2000 out=results/release_sets.csv "unseen={$held}"
"$PYTHON" scripts/export.py run="$RUN" to=contrastive_artifacts/release/all "clean={$held}"   # thresholds from all clean sound
echo all > contrastive_artifacts/release/default   # what "release" stands for
"$PYTHON" analysis/default_six.py "corpora={$held}"   # results/default_six.csv: one of seven labels, beside release/mn04
