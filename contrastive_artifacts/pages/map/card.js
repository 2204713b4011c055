// The facts of one clip: the tooltip beside the pointer, and the card with its waveform.
import { byId, element, fitCanvas, outline, placeTip, ramp, rowsTable, state, token } from "../../core/html/base.js";
import { soundChanged, soundMoved } from "../shared/player.js";
import { mark } from "./drawing.js";
import { decoded, hovering, playSoon, playing, progress } from "./playing.js";
import { data, facts, heading, isClean, points, selection, styleOf } from "./points.js";
import { canvas } from "./view.js";

const tip = byId("tip");
const COLUMNS = 160; // of the waveform
const clipsOf = Array.from(data.sources, () => 0); // per source
points.source.forEach((source) => clipsOf[source]++);

export const shownOnCard = () => (selection.hovered >= 0 ? selection.hovered : selection.selected);
soundChanged.on(() => card(shownOnCard() >= 0 ? shownOnCard() : playing()));
soundMoved.on(wave);

export function card(i) {
  byId("hint").hidden = i >= 0;
  byId("clip").hidden = i < 0;
  if (i < 0) return;
  const look = styleOf(i);
  byId("mark-path").setAttribute("d", outline(look.shape, 5.5));
  byId("mark-path").setAttribute("fill", look.fill);
  byId("clip-title").textContent = heading(i);
  byId("meter").hidden = isClean(i);
  byId("meter-fill").style.width = `${100 * points.severity[i]}%`;
  byId("meter-fill").style.background = ramp(points.severity[i]);
  const others = clipsOf[points.source[i]] - 1, rows = facts(i);
  if (others > 0) rows.splice(rows.findIndex(([k]) => k === "source") + 1, 0, ["", `${others.toLocaleString()} more of this source, ringed`]);
  byId("clip-facts").replaceChildren(rowsTable([["clip", points.id[i]], ...rows]));
  byId("play").disabled = points.clip[i] < 0;
  byId("play").textContent = points.clip[i] < 0 ? "No sound" : playing() === i ? "Stop" : "Play";
  wave();
}

export function hover(i, px = 0, py = 0) {
  if (i !== selection.hovered) {
    selection.hovered = i;
    state.hovered = i >= 0 ? points.id[i] : "";
    canvas.classList.toggle("over", i >= 0);
    if (i >= 0) {
      tip.replaceChildren(element("strong", { textContent: heading(i) }), rowsTable(facts(i).filter(([k]) => k !== "corpus").slice(0, 7)));
      if (hovering.plays) playSoon(i);
    }
    card(shownOnCard());
    mark();
  }
  if (i >= 0) placeTip(tip, px, py);
  else tip.hidden = true;
}

export function select(i, speak = false) {
  selection.selected = i;
  state.selected = i >= 0 ? points.id[i] : "";
  if (i >= 0 && speak) byId("say").textContent = `${points.id[i]}: ${heading(i)}. ${facts(i).map((row) => row.join(" ")).join(", ")}`;
  card(i);
  mark();
}

// The waveform of the clip on the card, once the clip is decoded.
async function wave() {
  const i = shownOnCard(), strip = byId("wave");
  const { context: g, width, height } = fitCanvas(strip);
  g.clearRect(0, 0, width, height);
  const pending = i >= 0 && points.clip[i] >= 0 ? decoded(i) : null;
  if (!pending) return;
  const buffer = await pending.catch(() => null);
  if (!buffer || i !== shownOnCard()) return;
  buffer.columns ??= peaks(buffer, COLUMNS);
  const played = playing() === i ? progress() : 0;
  const bars = Math.min(COLUMNS, Math.floor(width / 2.5));
  g.clearRect(0, 0, width, height);
  for (let b = 0; b < bars; b++) {
    const tall = Math.max(1, buffer.columns[Math.floor((b * COLUMNS) / bars)] * (height - 2));
    g.fillStyle = b / bars < played ? token("--accent") : token("--soft");
    g.fillRect((b * width) / bars, (height - tall) / 2, Math.max(1, width / bars - 1), tall);
  }
}

// The largest absolute value in each of `number` equal parts, 1 for the largest of all.
function peaks(buffer, number) {
  const samples = buffer.getChannelData(0), step = samples.length / number;
  const values = Array.from({ length: number }, (_, b) => {
    let peak = 0;
    for (let n = Math.floor(b * step); n < (b + 1) * step; n++) peak = Math.max(peak, Math.abs(samples[n] ?? 0));
    return peak;
  });
  const top = Math.max(...values, 1e-6);
  return values.map((value) => value / top);
}
