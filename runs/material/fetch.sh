#!/usr/bin/env bash
# Free speech, music and effects from Debian packages (bookworm, main; 1.6 GB), cut into clips with a listing.
# What has been downloaded, unpacked or rendered is kept: run it again to go on.
#
#   MATERIAL=folder runs/material/fetch.sh
#
# Needs Debian's apt-get and dpkg, unzip, and installed (apt-get install): fluidsynth espeak-ng festival
# festvox-czech-ph festvox-italp16k festvox-kallpc16k festvox-suopuhe-lj festvox-suopuhe-mv festvox-us-slt-hts
# festvox-ca-ona-hts. Takes 18 GB of disk, 10 of them for the rendered scores, and half an hour on one core.
# Packages whose files are used elsewhere as checks are not in the list.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${MATERIAL:?}"
PYTHON=${PYTHON:-.venv/bin/python}
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
for tool in apt-get dpkg unzip fluidsynth espeak-ng festival text2wave; do
  command -v $tool > /dev/null || { echo "$tool is missing; see the head of $0" >&2; exit 1; }
done
PACKAGES="klettres-data gcin-voice fillets-ng-data fillets-ng-data-cs fillets-ng-data-nl hedgewars-data warmux-data
trigger-rally-data openarena-data supertux-data pocketsphinx-testdata scratch nexuiz-music asc-music lincity-ng-data
hyperrogue-music colobot-common-sounds frozen-bubble-data extremetuxracer-data endless-sky-data freeorion-data
hydrogen-drumkits lmms-common bzflag-data wordwarvi-sound pingus-data freegish-data khangman
freedoom openttd-openmsx planetblupi-music-midi fluid-soundfont-gm"
mkdir -p "$MATERIAL"/{debs,files,midi}
files=$MATERIAL/files

for package in $PACKAGES; do
  compgen -G "$MATERIAL/debs/${package}_*.deb" > /dev/null || (cd "$MATERIAL/debs" && apt-get download "$package")
  [ -d "$files/$package" ] && continue
  rm -rf "$files/.part"
  dpkg -x "$MATERIAL/debs/${package}"_*.deb "$files/.part"
  find "$files/.part" \( -name '*.pk3' -o -name 'data.zip' \) -print0 | while IFS= read -r -d '' archive; do
    unzip -qn "$archive" '*.ogg' '*.wav' -d "$archive.d" || [ $? -eq 11 ]  # 11: none of these in it
  done
  find "$files/.part" -type f -regextype posix-extended ! -iregex '.*\.(ogg|oga|mp3|wav|flac|aiff?|mid|wad|sf2)' \
    ! -name copyright -delete
  mv "$files/.part" "$files/$package"
done

"$PYTHON" runs/material/clips.py "$MATERIAL" scores
mkdir -p "$MATERIAL"/midi/{openmsx,planetblupi} "$files"/synthetic/{espeak,festival}
find "$files/openttd-openmsx" -name '*.mid' -exec cp -n {} "$MATERIAL/midi/openmsx/" \;
find "$files/planetblupi-music-midi" -name '*.mid' -exec cp -n {} "$MATERIAL/midi/planetblupi/" \;
font=$(find "$files/fluid-soundfont-gm" -name '*GM.sf2' | head -n 1)
count=0
find "$MATERIAL/midi" -name '*.mid' | sort | while read -r score; do  # float: fluidsynth adds dither to 16 bit
  name=${score#"$MATERIAL/midi/"}
  wave=$files/rendered/${name%.mid}.wav
  count=$((count + 1))
  rate=$((count % 2 ? 44100 : 48000)) reverb=$((count / 2 % 2))
  [ -f "$wave" ] && continue
  mkdir -p "$(dirname "$wave")"
  fluidsynth -ni -q -R $reverb -C 0 -g 0.3 -r $rate -T wav -O float -F "$wave.part" "$font" "$score" > /dev/null 2>&1
  mv "$wave.part" "$wave"
done

numbers="1984, 27 365, 12. 90 4711; 58! 3 16 800, 42? 77 19 6000. 101, 33 250 14."  # each voice in its own language
for voice in en-us en-gb de fr-fr es it nl pt-br cs fi ru pl sv tr hu hi cmn el; do
  wave=$files/synthetic/espeak/$voice.wav
  [ -f "$wave" ] || espeak-ng -v $voice -s 150 -w "$wave" "$numbers" || rm -f "$wave"
done
for voice in upc_ca_ona_hts czech_ph kal_diphone hy_fi_mv_diphone suo_fi_lj_diphone lp_diphone \
  cmu_us_slt_arctic_hts; do
  wave=$files/synthetic/festival/$voice.wav
  [ -f "$wave" ] || echo "$numbers" | text2wave -eval "(voice_$voice)" -o "$wave" || rm -f "$wave"
done

"$PYTHON" runs/material/clips.py "$MATERIAL"
