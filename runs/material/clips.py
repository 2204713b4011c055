"""Clips of 5 to 25 s, and a listing of them, from the audio of Debian packages that runs/material/fetch.sh unpacked.

    python runs/material/clips.py FOLDER scores    # MIDI files into FOLDER/midi: those in freedoom, and random ones
    python runs/material/clips.py FOLDER

FOLDER/files/PACKAGE holds the unpacked packages, FOLDER/debs their archives. Writes FOLDER/clips, FOLDER/listing.csv
(one row per clip) and manifest.csv beside this file (one row per file read, by its path in /usr/share/PACKAGE).
Samples are only cut and joined: no gain, no resampling, no dither. ``unknown`` names what a clip may hold already, from
the measures of data/curation.
"""

from __future__ import annotations

import csv
import hashlib
import random
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import soundfile

from contrastive_artifacts import audio
from contrastive_artifacts.core.errors import ArtifactsError
from contrastive_artifacts.data.corpora import Clip, Corpus
from contrastive_artifacts.data.curation import survey
from contrastive_artifacts.data.curation.limits import make_limits
from contrastive_artifacts.data.curation.suspects import suspected

LOSSY = {".ogg", ".oga", ".mp3"}
AUDIO = LOSSY | {".wav", ".flac", ".aif", ".aiff"}
SKIP = re.compile(r"vinyl|\btape|robot|/VariBreaks|/waveforms/|/shapes/|airship_remix|_revisited|/olympics_sd", re.I)
# Package, pattern of the path, set, category, source (\1 is a group of the pattern), licence. The first match counts.
RULES = (
    ("klettres-data", r"klettres/([^/]+)/", "speech", r"\1", r"klettres/\1", "GPL-2+"),
    ("gcin-voice", r"/3\.ogg$", "speech", "zh", "gcin/3", "GPL-3 or LGPL-3"),
    ("gcin-voice", r"/5\.ogg$", "speech", "zh", "gcin/5", "CC-BY-3.0"),
    (r"fillets-ng-data.*", r"/sound/share/", "fx", "game", "fillets/share", "GPL-2"),
    (r"fillets-ng-data.*", r"/(en|cs|nl)/[^/]*?-([mv])-", "speech", r"\1", r"fillets/\1-\2", "GPL-2"),
    (r"fillets-ng-data.*", r"/(en|cs|nl)/[^/]*$", "speech", r"\1", r"fillets/\1-other", "GPL-2"),
    (r"fillets-ng-data.*", r"/music/([^/]+)\.ogg$", "music", "game", r"fillets/music/\1", "GPL-2"),
    ("hedgewars-data", r"/voices/([^/]+)/", "speech", r"cartoon-\1", r"hedgewars/voices/\1", "GFDL-1.3"),
    ("hedgewars-data", r"/Music/([^/]+)\.", "music", "game", r"hedgewars/music/\1", "GPL-2"),
    ("hedgewars-data", r"/Sounds/[^/]+$", "fx", "game", "hedgewars/sounds", "GFDL-1.3"),
    ("warmux-data", r"/voices/", "speech", "cartoon", "warmux/voices", "GPL-2+"),
    ("warmux-data", r"/music/\w+/([^/]+)\.", "music", "game", r"warmux/music/\1", "GPL-2+"),
    ("warmux-data", r"/default/(\w+)/", "fx", r"\1", r"warmux/\1", "GPL-2+"),
    ("trigger-rally-data", r"/codriver/(\w+)/", "speech", "en", r"trigger-rally/\1", "GPL-2+"),
    ("trigger-rally-data", r"/sounds/", "fx", "engine", "trigger-rally/sounds", "GPL-2+"),
    ("openarena-data", r"/voices/rott/", "speech", "cartoon", "openarena/rott", "GPL-2+"),
    ("openarena-data", r"/voices/festivoxmale/", "speech", "synthetic", "openarena/festivox", "GPL-2+"),
    ("openarena-data", r"/sound/(\w+)/", "fx", r"\1", r"openarena/\1", "GPL-2+"),
    ("supertux-data", r"/speech/", "speech", "cartoon", "supertux/speech", "GPL-3+"),
    ("supertux-data", r"/music/(\w+)/([^/]+)\.", "music", r"game-\1", r"supertux/\2", "GPL-2+"),
    ("supertux-data", r"/sounds/", "fx", "game", "supertux/sounds", "GPL-3+"),
    ("pocketsphinx-testdata", r"/(librivox|cards)/", "speech", "en", r"pocketsphinx/\1", "BSD-2-clause"),
    ("scratch", r"/Sounds/Music Loops/([^/]+)\.", "music", "loop", r"scratch/\1", "CC-BY-SA-3.0"),
    ("scratch", r"/Sounds/(Vocals|Instruments)/", "music", r"\1", r"scratch/\1", "CC-BY-SA-3.0"),
    ("scratch", r"/Sounds/([^/]+)/", "fx", r"\1", r"scratch/\1", "CC-BY-SA-3.0"),
    ("nexuiz-music", r"/cdtracks/([^/]+)\.", "music", "electronic", r"nexuiz/\1", "GPL-2+"),
    ("asc-music", r"/music/([^/]+)\.", "music", "orchestral", r"asc/\1", "GPL-2+"),
    ("lincity-ng-data", r"/music/default/([^/]+)\.", "music", "game", r"lincity/music/\1", "GPL-2+"),
    ("lincity-ng-data", r"/sounds/", "fx", "city", "lincity/sounds", "GPL-2+"),
    ("hyperrogue-music", r"/music/([^/]+)\.", "music", "ambient", r"hyperrogue/\1", "CC-BY-SA-3.0/4.0"),
    ("colobot-common-sounds", r"/music/([^/]+)\.", "music", "game", r"colobot/music/\1", "GPL-3+"),
    ("colobot-common-sounds", r"/sounds/", "fx", "machine", "colobot/sounds", "GPL-3+"),
    ("frozen-bubble-data", r"/(frozen-mainzik-..|introzik)\.", "music", "game", r"frozen-bubble/\1", "GPL-2"),
    ("frozen-bubble-data", r"/snd/", "fx", "game", "frozen-bubble/sounds", "GPL-2"),
    ("extremetuxracer-data", r"/music/([^/]+)\.", "music", "game", r"etr/\1", "GPL-2+"),
    ("extremetuxracer-data", r"/sounds/", "fx", "game", "etr/sounds", "GPL-2+"),
    ("endless-sky-data", r"/sounds/", "fx", "weapon", "endless-sky/sounds", "CC-BY-SA or public domain"),
    ("freeorion-data", r"/sound/combat/", "fx", "weapon", "freeorion/combat", "CC-BY-SA-3.0"),
    ("freeorion-data", r"/sound/([^/]+)\.", "music", "ambient", r"freeorion/\1", "CC-BY-SA-3.0"),
    ("hydrogen-drumkits", r"/drumkits/([^/]+)/", "fx", "drums", r"hydrogen/\1", "GPL-2+, CC-BY(-SA)-3.0 or CC0"),
    ("lmms-common", r"/samples/(\w+)/", "fx", r"\1", r"lmms/\1", "GPL-2+"),
    ("bzflag-data", r"/bzflag/", "fx", "game", "bzflag/sounds", "LGPL-2.1 or MPL"),
    ("wordwarvi-sound", r"/sounds/", "fx", "game", "wordwarvi/sounds", "CC-BY-SA-3.0"),
    ("pingus-data", r"/sounds/", "fx", "game", "pingus/sounds", "GPL-2+"),
    ("freegish-data", r"/sound/", "fx", "game", "freegish/sounds", "CC-BY-SA-3.0"),
    ("khangman", r"/sounds/", "fx", "game", "khangman/sounds", "GPL-2+"),
    ("synthetic", r"/(\w+)/([^/]+)\.wav$", "speech", "synthetic", r"\1/\2", "text of this project"),
    ("rendered", r"/([\w-]+)/([^/]+)\.wav$", "music", r"\1", r"fluid/\1/\2", "GPL-2+/3+ or BSD scores, MIT sounds"),
)
# Sources that are held out whole.
HELD = re.compile(
    r"fillets/nl|trigger-rally/\w|klettres/(ru|hu|tn)|hedgewars/voices/[BP]|espeak/|hyperrogue/|etr/|nexuiz/|fluid/planetblupi/|"
    r"fluid/score-(organ|brass)/|colobot/sounds|hydrogen/(The|Gimme|Forzee)|scratch/"
)
# General MIDI programs of the random scores; drums only where there are none.
FAMILIES: dict[str, tuple[int, ...]] = {
    "piano": (0, 1, 4, 6), "organ": (16, 19, 20, 21), "guitar": (24, 25, 27), "distorted": (29, 30), "drums": (),
    "strings": (40, 42, 48, 49), "brass": (56, 57, 60, 61), "wind": (65, 68, 71, 73), "voices": (52, 53),
    "plucked": (15, 45, 46, 104), "mallets": (11, 12, 13, 14),
}  # fmt: skip
COLUMNS = ["file", "source_id", "package", "set", "category", "licence", "sr", "dur", "lossy", "held", "unknown"]
COLUMNS += ["reasons"]
SHORT, WHOLE, CUT, PER_FILE, PER_SOURCE = 5.0, 25.0, 20.0, 3, 120  # s, s, s, clips, joined clips
OVERS = 5  # samples per second over full scale that pass: lossy coding makes some of any loud master
Row = dict[str, str]


def main() -> None:
    """Makes scores, or the clips of one set after the other; the listing is complete up to the set that is done.

    A second pass leaves out clips that equal a clip of another source of the same set.
    """
    folder = Path(sys.argv[1])
    if sys.argv[2:] == ["scores"]:
        scores(folder)
        return
    used: list[list[str]] = []
    made: dict[str, list[Row]] = {}
    rows: dict[str, list[Row]] = {}
    for copies in (False, True):
        for name in ("speech", "fx", "music"):
            made[name] = made[name] if copies else clips_of(folder, name, used)
            rows[name] = judged(folder, made[name], copies)
            listed = [row for part in rows.values() for row in part]
            write(folder / "listing.csv", COLUMNS, [[row[column] for column in COLUMNS] for row in listed])
            write(
                Path(__file__).with_name("manifest.csv"),
                ["package", "version", "file", "licence", "sha256"],
                sorted(used),
            )
            hours = [sum(float(row["dur"]) for row in rows[name] if row["held"] == held) / 3600 for held in "01"]
            print(f"{name}: {len(rows[name])} clips, {hours[0]:.2f} h, and {hours[1]:.2f} h held out", flush=True)


def write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    """A CSV, complete at any time."""
    with open(path.with_suffix(".part"), "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    path.with_suffix(".part").replace(path)


def clips_of(folder: Path, wanted: str, used: list[list[str]]) -> list[Row]:
    """Cuts and joins the files of a set; adds the files to the manifest."""
    rows: list[Row] = []
    short: dict[tuple[str, ...], list[np.ndarray]] = defaultdict(list)
    seen: set[str] = set()
    for path in sorted(path for path in (folder / "files").rglob("*") if path.suffix.lower() in AUDIO):
        package, name = path.relative_to(folder / "files").as_posix().split("/", 1)
        rule = next((r for r in RULES if re.fullmatch(r[0], package) and re.search(r[1], f"/{name}")), None)
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        if rule is None or rule[2] != wanted or SKIP.search(f"/{name}") or digest in seen | {""}:
            continue
        seen.add(digest)
        found = re.search(rule[1], f"/{name}")
        assert found is not None
        category, source = found.expand(rule[3]), found.expand(rule[4])
        try:
            wave, rate = audio.read(path)
        except ArtifactsError as error:
            print(error, flush=True)
            continue
        sounding = np.flatnonzero(wave.any(axis=0))
        if not sounding.size or np.abs(wave).max() < 1e-3:
            continue
        wave = wave[:, sounding[0] : sounding[-1] + 1]
        within = re.sub(r"^usr/share/(games/)?[^/]+/", "", name)
        used.append([package, version(folder, package), within, rule[5], digest])
        lossy = "1" if path.suffix.lower() in LOSSY else "0"
        about = (source, package, wanted, category, rule[5], lossy)
        if wave.shape[1] < SHORT * rate:
            short[(*about, str(rate), str(len(wave)))].append(wave)
            continue
        for start, stop in places(wave, rate):
            rows.append(saved(folder, about, wave[:, start:stop], rate, f"{digest[:10]}-{start}", joined=False))
    for key, waves in short.items():
        group = hashlib.sha256("/".join(key).encode()).hexdigest()[:10]
        for number, wave in enumerate(joined(waves, int(key[6]), "/".join(key))[:PER_SOURCE]):
            rows.append(saved(folder, key[:6], wave, int(key[6]), f"{group}-joined-{number:03}", joined=True))
    return rows


def places(wave: np.ndarray, rate: int) -> list[tuple[int, int]]:
    """Ranges of the clips of a long sound: without its ends, evenly spread, rather without samples over full scale."""
    length, total = int(CUT * rate), wave.shape[1]
    if total <= WHOLE * rate:
        return [(0, total)]
    margin = min(4 * rate, (total - length) // 2)
    count = min(PER_FILE, max(1, (total - 2 * margin) // length))
    starts = [int(start) for start in np.linspace(margin, total - margin - length, count)]
    loud = [start for start in starts if np.sqrt(np.square(wave[:, start : start + length]).mean()) > 1e-3]
    inside = [start for start in loud if np.abs(wave[:, start : start + length]).max() <= 1.0]
    return [(start, start + length) for start in inside or loud]


def joined(waves: list[np.ndarray], rate: int, seed: str) -> list[np.ndarray]:
    """Short sounds one after the other, 6 to 12 s; a pause of .1 to .4 s where the sounds bring none of their own."""
    rng = random.Random(seed)
    waves = rng.sample(waves, len(waves))
    out: list[list[np.ndarray]] = [[]]
    goal = rng.uniform(6, 12) * rate
    for wave in waves:
        if sum(part.shape[1] for part in out[-1]) >= goal:
            out.append([])
            goal = rng.uniform(6, 12) * rate
        if out[-1]:
            edge = np.concatenate([out[-1][-1][:, -rate // 20 :], wave[:, : rate // 20]], axis=1)
            if np.abs(edge).max() > 0.03 * np.abs(wave).max():
                out[-1].append(np.zeros((len(wave), int(rng.uniform(0.1, 0.4) * rate)), np.float32))
        out[-1].append(wave)
    clips = [np.concatenate(parts, axis=1) for parts in out if parts]
    if len(clips) > 1 and clips[-1].shape[1] < SHORT * rate:
        last = clips.pop()
        clips[-1] = np.concatenate([clips[-1], last], axis=1)
    return [clip for clip in clips if clip.shape[1] >= SHORT * rate]


def saved(folder: Path, about: tuple[str, ...], wave: np.ndarray, rate: int, name: str, joined: bool) -> Row:
    """Stores a clip as FLAC of 16 bit; notes what can be seen before: overs and 8-bit samples."""
    source, package, kind, category, licence, lossy = about
    file = f"clips/{kind}/{re.sub(r'[^A-Za-z0-9.-]+', '_', source)}/{name}.flac"
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    samples = np.clip(np.round(wave.T * 32768.0), -32768, 32767).astype(np.int16)
    if not (folder / file).exists():
        soundfile.write(folder / file, samples, rate, subtype="PCM_16")
    unknown = {"codec"} if lossy == "1" else set()
    unknown |= {"splice"} if joined else set()
    unknown |= {"clipping"} if (np.abs(wave).max(axis=0) > 1.0).sum() > OVERS * wave.shape[1] / rate else set()
    unknown |= {"quantization"} if not np.any(samples & 63) else set()
    unknown |= {"packet_loss"} if source.startswith("espeak/") else set()  # repeats periods exactly
    held = "1" if HELD.match(source) else "0"
    values = [file, source, package, kind, category, licence, str(rate), f"{wave.shape[1] / rate:.3f}", lossy, held]
    return dict(zip(COLUMNS, [*values, " ".join(sorted(unknown)), ""], strict=True))


def judged(folder: Path, rows: list[Row], copies: bool) -> list[Row]:
    """Rows with measured faults in ``unknown``, without clips that are silent or equal a clip of another source.

    Clicks are no faults in music that was rendered from a score. Hiss: speech whose quietest tenth lies less than 35 dB
    under its loudness.
    """
    clips = [Clip(row["file"], row["source_id"], row["category"], None, folder / row["file"]) for row in rows]
    limits = make_limits({} if copies else {"duplicate": None})
    corpus = Corpus("material", clips)
    kept = []
    for row, finding in zip(rows, survey(corpus, folder, limits), strict=True):
        reasons = finding.reasons
        copy = "duplicate" in reasons and any("another source" in flag.text for flag in finding.flags)
        gone = any(flag.reason in ("silent", "padded", "quiet") and flag.urgency >= 1 for flag in finding.flags)
        if finding.measures is None or copy or gone:
            continue
        measures = finding.measures
        unknown = {*row["unknown"].split(), *suspected(measures)}
        if "clicking" in reasons and row["package"] != "rendered":
            unknown.add("clicks")
        if measures.silence_share > 0.005:
            unknown.add("dropout")
        if row["set"] == "speech" and measures.loudness_lufs - measures.floor_db < 35:
            unknown.add("hiss")
        kept.append({**row, "unknown": " ".join(sorted(unknown)), "reasons": " ".join(sorted(reasons))})
    return kept


def version(folder: Path, package: str) -> str:
    """Version of a package, from the name of its archive; of rendered sounds, that of the renderer."""
    archive = next((folder / "debs").glob(f"{package}_*.deb"), None)
    if archive is not None:
        return archive.name.split("_")[1].replace("%3a", ":")
    names = ["fluidsynth", "fluid-soundfont-gm"] if package == "rendered" else ["espeak-ng", "festival"]
    command = ["dpkg-query", "-W", "-f", "${Package} ${Version} ", *names]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def scores(folder: Path) -> None:
    """Writes the MIDI files that lie in freedoom's archives, and five random scores for each of :data:`FAMILIES`."""
    files: dict[str, bytes] = {}
    for archive in sorted((folder / "files/freedoom").rglob("*.wad")):
        for number, piece in enumerate(archive.read_bytes().split(b"MThd")[1:]):
            files[f"freedoom/{archive.stem}-{number:02}"] = b"MThd" + piece  # players ignore what follows the tracks
    for family, programs in FAMILIES.items():
        files |= {f"score-{family}/{seed}": score(random.Random(f"{family}{seed}"), programs) for seed in range(5)}
    for name, content in files.items():
        path = folder / "midi" / f"{name}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def score(rng: random.Random, programs: tuple[int, ...]) -> bytes:
    """A MIDI file of 64 s: chords, bass and a tune in a random key with random programs; drums in some."""
    beat, root, scale = 480, rng.randint(48, 59), rng.choice([(0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)])
    tempo, drums = rng.uniform(60, 160), not programs or rng.random() < 0.3
    events = [(0, b"\xff\x51\x03" + round(60e6 / tempo).to_bytes(3, "big"))]
    for channel in range(3 if programs else 0):
        events.append((0, bytes([0xC0 | channel, rng.choice(programs)])))
        events.append((0, bytes([0xB0 | channel, 1, rng.choice([0, 0, 50, 110])])))  # vibrato

    def note(tick: float, length: float, channel: int, key: int) -> None:
        events.append((round(tick), bytes([0x90 | channel, key, rng.randint(55, 110)])))
        events.append((round(tick + 0.95 * length), bytes([0x80 | channel, key, 0])))

    step = 0
    for bar in range(round(64 * tempo / 240)):
        start, degree = bar * 4 * beat, rng.choice([0, 3, 4, 5, 1])
        pitch = [root + scale[(degree + third) % 7] for third in (0, 2, 4)]
        for key in pitch if programs else ():
            note(start, 4 * beat, 0, key)
        for half in (0, 2) if programs else ():
            note(start + half * beat, 2 * beat, 1, pitch[0] - 12)
        time = 0.0
        while time < 4 and programs:
            length = rng.choice([0.5, 0.5, 1.0, 1.0, 2.0])
            step = max(-3, min(9, step + rng.choice([-2, -1, -1, 0, 1, 1, 2])))
            if rng.random() < 0.85:
                note(start + time * beat, length * beat, 2, root + 12 + 12 * (step // 7) + scale[step % 7])
            time += length
        for eighth in range(8 if drums else 0):
            for key in {0: (42, 36), 2: (42, 38)}.get(eighth % 4, (rng.choice([42, 45, 46, 51]),)):
                note(start + eighth * beat / 2, beat / 4, 9, key)
    track, now = b"", 0
    for tick, message in sorted(events, key=lambda event: event[0]):
        delta, now = tick - now, tick
        track += (bytes([0x80 | delta >> 7]) if delta > 127 else b"") + bytes([delta & 127]) + message
    track += b"\x00\xff\x2f\x00"
    head = b"MThd" + (6).to_bytes(4, "big") + bytes([0, 0, 0, 1]) + beat.to_bytes(2, "big")
    return head + b"MTrk" + len(track).to_bytes(4, "big") + track


if __name__ == "__main__":
    main()
