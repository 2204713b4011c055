// The review: a queue at the left, one clip at the right. Body data attributes (clip, drawn, playing, decided, left)
// tell tests what is on the screen. Nothing is kept here: every decision is with the server before the page moves on.

const about = read("about"), state = document.body.dataset;
const LISTED = 120; // rows of the list around the current one; a queue may hold thousands
let queue = [], shown = [], current = -1, start = 0, low = false, view = null, turn = 0, busy = false;
const audio = new Audio();
const MARKS = { keep: "✓", reject: "✕", "": "·" };

async function ask(path, body) {
  const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let answer;
  try { answer = await fetch(path, options); } catch { throw new Error("The server does not answer; is it still running?"); }
  const value = await answer.json().catch(() => ({ error: `The server answered ${answer.status}.` }));
  if (!answer.ok) throw new Error(value.error);
  return value;
}
function trouble(text) { byId("trouble").hidden = !text; byId("trouble").textContent = text; }
const guarded = (job) => async (...given) => { try { trouble(""); return await job(...given); } catch (error) { trouble(error.message); return undefined; } };

// ---- the queue ---------------------------------------------------------------------------------------------------
function filter() {
  const reason = byId("reason").value, open = byId("open").checked;
  shown = queue.filter((clip) => (!reason || clip.reasons.some(([name]) => name === reason)) && (!open || !clip.decision));
  return shown;
}
function list() {
  const at = Math.max(0, shown.indexOf(queue[current])), from = Math.max(0, Math.min(at - LISTED / 2, shown.length - LISTED));
  const rows = shown.slice(from, from + LISTED).map((clip) => {
    const button = element("button", { type: "button" },
      element("span", { className: clip.decision, textContent: MARKS[clip.decision] }),
      element("span", { className: "title", textContent: clip.name }),
      element("span", { className: "why", textContent: clip.reasons.map(([name]) => name).join(", ") }));
    button.setAttribute("aria-current", String(clip === queue[current]));
    button.setAttribute("aria-label", `${clip.name}: ${clip.reasons.map(([name]) => name).join(", ")}; ${clip.decision || "undecided"}`);
    button.addEventListener("click", () => open(queue.indexOf(clip)));
    return element("li", {}, button);
  });
  const rest = shown.length - from - rows.length;
  if (rest > 0) rows.push(element("li", { className: "more", textContent: `and ${rest.toLocaleString()} more` }));
  byId("list").replaceChildren(...rows);
  byId("list").querySelector("[aria-current=true]")?.scrollIntoView({ block: "nearest" });
  const decided = queue.filter((clip) => clip.decision).length;
  Object.assign(state, { decided, left: queue.length - decided });
  byId("progress").textContent = `${decided} of ${queue.length} decided`;
  byId("meter").style.width = `${queue.length ? (100 * decided) / queue.length : 0}%`;
}
function reasons() {
  const counts = new Map();
  queue.forEach((clip) => clip.reasons.forEach(([name]) => counts.set(name, (counts.get(name) ?? 0) + 1)));
  const options = [...counts].sort((a, b) => b[1] - a[1]).map(([name, many]) => element("option", { value: name, textContent: `${name} (${many})` }));
  byId("reason").replaceChildren(element("option", { value: "", textContent: `any (${queue.length})` }), ...options);
}

// ---- one clip ----------------------------------------------------------------------------------------------------
function open(place) {
  stop();
  current = place;
  start = 0;
  const clip = queue[place];
  byId("clip").hidden = !clip;
  byId("none").hidden = Boolean(clip);
  state.clip = clip?.name ?? "";
  if (!clip) { list(); return; }
  byId("name").textContent = clip.name;
  byId("clip-facts").replaceChildren();
  fillFacts(byId("clip-facts"), [["category", clip.category || "none"], ["source", clip.source], ["length", `${clip.seconds.toFixed(2)} s`],
    ["rate", `${clip.rate.toLocaleString("en")} Hz`], ["channels", String(clip.channels)], ...clip.facts]);
  byId("reasons").replaceChildren(...clip.reasons.map(([name, text, urgency, rejects]) =>
    element("li", { className: urgency >= 1 && rejects ? "hard" : "", title: urgency >= 1 && rejects ? "beyond the limit at which it is rejected without listening" : "" },
      element("strong", { textContent: name }), text)));
  byId("note").value = clip.note;
  byId("slices").hidden = clip.seconds <= about.slice;
  mark();
  list();
  byId("say").textContent = `${clip.name}. ${clip.reasons.map(([, text]) => text).join("; ")}.`;
  draw();
}
function mark() {
  const clip = queue[current];
  for (const name of ["keep", "reject"]) byId(name).setAttribute("aria-pressed", String(clip.decision === name));
  byId("mark").textContent = clip.decision ? `${MARKS[clip.decision]} ${clip.decision} (${clip.by})` : "undecided";
  byId("mark").className = clip.decision;
}
const address = (what) => { const clip = queue[current]; return `api/clips/${clip.id}/${what}?start=${start}`; };
const draw = guarded(async () => {
  const mine = ++turn;
  state.drawn = "";
  view = null;
  paint();
  const found = await ask(`${address("picture")}&scale=${low ? "low" : "linear"}`);
  if (mine !== turn) return; // another clip was opened meanwhile
  view = found;
  paint();
  state.drawn = queue[current].name;
});

function paint() {
  const wave = fitCanvas(byId("wave")), spectrum = fitCanvas(byId("spectrogram"));
  wave.context.clearRect(0, 0, wave.width, wave.height);
  spectrum.context.clearRect(0, 0, spectrum.width, spectrum.height);
  byId("axis").replaceChildren();
  cursor();
  if (!view) return;
  const reach = Math.max(1, ...view.high, ...view.low.map((v) => -v)), half = wave.height / 2, step = wave.width / view.low.length;
  wave.context.strokeStyle = token("--line"); // full scale, where it is not the edge
  for (const y of [half - half / reach, half, half + half / reach]) { wave.context.beginPath(); wave.context.moveTo(0, y); wave.context.lineTo(wave.width, y); wave.context.stroke(); }
  wave.context.fillStyle = token("--accent");
  view.low.forEach((bottom, n) => {
    const above = half - (view.high[n] / reach) * half, below = half - (bottom / reach) * half;
    wave.context.fillRect(n * step, above, Math.max(1, step - 0.25), Math.max(1, below - above));
  });
  const bytes = Uint8Array.from(atob(view.spectrogram), (c) => c.charCodeAt(0));
  // The quietest fifth fades into the panel: nothing should not glare.
  const ground = token("--panel").match(/[0-9a-f]{2}/gi).map((hex) => parseInt(hex, 16));
  const colours = Array.from({ length: 256 }, (_, v) => ramp(v / 255).match(/\d+/g).map((c, k) => ground[k] + (Number(c) - ground[k]) * Math.min(1, v / 51)));
  const pixels = new ImageData(view.columns, view.rows);
  bytes.forEach((v, n) => { const [r, g, b] = colours[v]; pixels.data.set([r, g, b, 255], 4 * n); });
  const copy = new OffscreenCanvas(view.columns, view.rows);
  copy.getContext("2d").putImageData(pixels, 0, 0);
  spectrum.context.imageSmoothingEnabled = true;
  spectrum.context.drawImage(copy, 0, 0, spectrum.width, spectrum.height);
  const tick = [50, 100, 250, 500, 1000, 2000, 4000, 5000, 10000, 20000].find((hz) => view.top_hz / hz <= 8) ?? view.top_hz;
  for (let hz = tick; hz < view.top_hz * 0.97; hz += tick) {
    const line = element("li", { textContent: view.top_hz <= 2000 ? `${hz} Hz` : `${hz / 1000} kHz` });
    line.style.top = `${100 * (1 - hz / view.top_hz)}%`;
    byId("axis").append(line);
  }
}
function cursor() {
  const { context: g, width, height } = fitCanvas(byId("cursor")), clip = queue[current];
  g.clearRect(0, 0, width, height);
  if (!clip) return;
  const length = view ? view.samples / view.rate : Math.min(clip.seconds, about.slice), offset = start / clip.rate;
  if (state.playing || audio.currentTime > 0) { g.fillStyle = token("--text"); g.fillRect((audio.currentTime / length) * width - 0.75, 0, 1.5, height); }
  byId("clock").textContent = `${(offset + audio.currentTime).toFixed(2)} s (${offset.toFixed(1)} – ${(offset + length).toFixed(1)} of ${clip.seconds.toFixed(1)})`;
  if (state.playing) requestAnimationFrame(cursor);
}

// ---- sound -------------------------------------------------------------------------------------------------------
function stop() { audio.pause(); audio.removeAttribute("src"); audio.load(); state.playing = ""; }
const play = guarded(async (from = null) => {
  if (state.playing && from === null) { stop(); cursor(); return; }
  const clip = queue[current];
  if (!audio.getAttribute("src")) audio.src = address("audio");
  if (from !== null) audio.currentTime = from;
  try { await audio.play(); } catch (error) { if (error.name === "AbortError") return; throw new Error(`This browser cannot play ${clip.name} (${error.name}).`); }
  state.playing = clip.name;
  cursor();
});
audio.addEventListener("ended", () => { stop(); cursor(); });

// ---- decisions ---------------------------------------------------------------------------------------------------
const decide = (decision) => guarded(async () => {
  const clip = queue[current];
  if (!clip || busy) return;
  busy = true;
  try {
    const note = byId("note").value.trim();
    await ask("api/decisions", { id: clip.id, decision, note });
    Object.assign(clip, { decision, note, by: about.who });
  } finally { busy = false; }
  const at = shown.indexOf(clip);
  const next = [...shown.slice(at + 1), ...shown.slice(0, at)].find((other) => !other.decision);
  filter();
  open(queue.indexOf(next ?? shown[Math.min(at, shown.length - 1)] ?? clip));
  byId("say").textContent = `${clip.name}: ${decision}. ${byId("say").textContent}`;
})();
const undo = guarded(async () => {
  if (busy) return;
  busy = true;
  let name;
  try {
    ({ name } = await ask("api/undo", {}));
    if (name === null) { trouble("There is nothing left to undo."); return; }
    queue = await ask("api/queue");
  } finally { busy = false; }
  filter();
  const place = queue.findIndex((clip) => clip.name === name);
  open(place >= 0 ? place : current);
  byId("say").textContent = `${name}: taken back.`;
});
const publish = guarded(async () => {
  const made = await ask("api/manifest", {});
  byId("publish").textContent = `Version ${made.version} written`;
  byId("say").textContent = `Manifest version ${made.version}: ${made.keep} kept, ${made.reject} rejected.`;
  setTimeout(() => { byId("publish").textContent = "Write manifest"; }, 4000);
});
function move(by) {
  const at = shown.indexOf(queue[current]), to = shown[Math.min(Math.max(at + by, 0), shown.length - 1)];
  if (to && to !== queue[current]) open(queue.indexOf(to));
}
function slice(by) {
  const clip = queue[current], length = Math.round(about.slice * clip.rate), to = start + by * length;
  if (to < 0 || to >= Math.round(clip.seconds * clip.rate)) return;
  stop();
  start = to;
  draw();
}
function rescale() { low = !low; byId("scale").setAttribute("aria-pressed", String(low)); draw(); }

const KEYS = {
  k: () => decide("keep"), r: () => decide("reject"), u: undo, l: rescale, n: () => byId("note").focus(), " ": () => play(),
  ArrowDown: () => move(1), ArrowRight: () => move(1), ArrowUp: () => move(-1), ArrowLeft: () => move(-1), "[": () => slice(-1), "]": () => slice(1),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target === byId("note")) {
    if (event.key === "Escape" || event.key === "Enter") { event.preventDefault(); byId("note").blur(); }
    return;
  }
  if (event.target.closest?.("select") || (event.key === " " && event.target.closest?.("button, input"))) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (!KEYS[key] || !queue[current] && key !== "u" || event.repeat && !key.startsWith("Arrow")) return;
  event.preventDefault();
  KEYS[key]();
});
byId("keep").addEventListener("click", () => decide("keep"));
byId("reject").addEventListener("click", () => decide("reject"));
byId("undo").addEventListener("click", undo);
byId("play").addEventListener("click", () => play());
byId("scale").addEventListener("click", rescale);
byId("earlier").addEventListener("click", () => slice(-1));
byId("later").addEventListener("click", () => slice(1));
byId("publish").addEventListener("click", publish);
for (const name of ["reason", "open"]) byId(name).addEventListener("change", () => { filter(); open(queue.indexOf(shown.includes(queue[current]) ? queue[current] : shown[0])); });
document.querySelector(".stage").addEventListener("click", (event) => {
  const box = byId("wave").getBoundingClientRect();
  if (view) play(((event.clientX - box.left) / box.width) * (view.samples / view.rate));
});
darkQuery.addEventListener("change", paint);
new ResizeObserver(paint).observe(byId("wave"));

fillFacts(byId("facts"), [["clips", about.clips.toLocaleString("en")], ["listening", about.who]]);
guarded(async () => {
  queue = await ask("api/queue");
  reasons();
  filter();
  const first = shown.find((clip) => !clip.decision) ?? shown[0];
  open(queue.indexOf(first));
  state.ready = queue.length;
})();
