// The panel of the selected row, or of a sound that was searched for: what it is, its picture and its sound.

// { key, base (address), row (-1: a query), info, picture, version, pad, scale, at (seconds), span, loaded }
let item = null;
const PADS = [0, 2, 10];
const keep = { version: "damaged", pad: 0, scale: "linear", loop: false }; // stays from row to row
let pictureTimer = 0;

// ---- selecting ---------------------------------------------------------------------------------------------------
const select = guarded(async (row, { play = false, pan = false, speak = false, quick = false } = {}) => {
  if (row === selected && item?.row === row && row >= 0) { if (play) await sound(); return; }
  selected = row;
  state.selected = row >= 0 ? String(row) : "";
  if (player.key && player.key !== String(row)) player.stop();
  mark();
  if (row < 0) { show(null); return; }
  if (pan) reveal(points.x[row], points.y[row]);
  const mine = { key: String(row), base: `api/rows/${row}`, row, info: null, picture: null, at: 0, span: null, version: keep.version, pad: keep.pad, scale: keep.scale };
  const asked = ask(mine.base, undefined, { signal: latest("info") }), plain = mine.version === "damaged" && !mine.pad;
  const begin = () => { show(mine, quick); if (play && player.key !== mine.key) guarded(sound)(); }; // what plays under the pointer goes on
  if (plain) begin();
  mine.info = await asked;
  if (selected !== row) return;
  if (!plain) { // not every row has a clean twin or context
    if (!mine.info.has_clean) mine.version = "damaged";
    if (!mine.info.can_pad) mine.pad = 0;
    begin();
  }
  if (item !== mine) return;
  tell();
  if (!quick) prefetch();
  const { info } = mine;
  if (speak) say(`Row ${row}: ${info.title}. ${info.name}, ${info.time}. ${info.heard ? `Heard as ${heardText(info)}.` : ""} ${info.decision ? `Said: ${info.decision} ${info.label}.` : ""}`);
});
function show(next, quick = false) {
  const had = item;
  item = next;
  bitmap = null;
  state.picture = "";
  byId("nothing").hidden = Boolean(item);
  byId("item").hidden = !item;
  byId("panel").setAttribute("aria-label", item?.row < 0 ? "Sound searched for" : "Selected row");
  byId("span").hidden = true;
  state.span = "";
  for (const place of ["picture", "similar"]) requests[place]?.abort();
  clearTimeout(pictureTimer);
  markRows();
  if (!item) { byId("facts").replaceChildren(); similar(); cursor(); return; }
  if (!had) paintPicture();
  // While an arrow key is held down only the last row's picture is asked for.
  pictureTimer = setTimeout(() => { drawPicture(); similar(); prefetch(); }, quick ? 140 : 0);
  listen();
}
function tell() {
  const { info, row } = item, decision = row >= 0 ? said.get(row) ?? { decision: info.decision, label: info.label } : { decision: "" };
  byId("mark").replaceChildren(svg(row >= 0 ? lookOf(styles[row]) : { fill: token("--accent"), shape: "diamond" }));
  byId("title").textContent = info.title;
  byId("where").textContent = [info.name, info.time].filter(Boolean).join(" · ");
  const facts = row >= 0 ? [["known", verdict(info.known, info.severity)], ["heard", heardText(info)]] : [["heard", heardText(info)]];
  byId("verdict").replaceChildren(...facts.filter(([, text]) => text).flatMap(([name, text]) => [element("span", { textContent: name }), element("b", { textContent: text })]));
  byId("badge").className = decision.decision;
  byId("badge").textContent = badge(decision);
  for (const name of ["keep", "reject", "relabel"]) byId(name).setAttribute("aria-pressed", String(decision.decision === name));
  byId("decide").hidden = row < 0;
  byId("note").value = info.note ?? "";
  byId("versions").hidden = !info.has_clean;
  byId("pad").hidden = !info.can_pad;
  byId("steps").hidden = info.previous === null && info.next === null || row < 0;
  byId("previous").disabled = info.previous === null;
  byId("next").disabled = info.next === null;
  controls();
  listen();
  if (row >= 0) factTables(info);
}
const BADGES = { keep: "✓ kept", reject: "✕ rejected", relabel: "↻ now " };
const badge = ({ decision, label: name }) => (decision ? BADGES[decision] + (decision === "relabel" ? name : "") : "");
const verdict = (name, severity, p) => [name, name !== "clean" && typeof severity === "number" ? severity.toFixed(2) : "", typeof p === "number" ? `(${Math.round(100 * p)} %)` : ""].filter(Boolean).join(" ");
const heardText = (info) => (info.heard ? verdict(info.heard, info.heard_severity, info.heard_probability) : "");
function factTables(info) {
  const parts = [["Row", [["row", amount(info.row)], ["length", `${info.seconds.toFixed(3)} s`], ["rate", `${amount(info.rate)} Hz`], ["channels", String(info.channels)], ["source", info.source], ...info.facts]], ["Parameters of the artifact", info.params]];
  byId("facts").replaceChildren(...parts.filter(([, rows]) => rows.length).flatMap(([heading, rows]) => [element("h3", { textContent: heading }), rowsTable(rows.filter(([, text]) => text !== ""))]));
}
function controls() {
  for (const name of ["damaged", "clean"]) byId(name).setAttribute("aria-pressed", String(item.version === name));
  byId("pad").textContent = `± ${item.pad} s`;
  byId("pad").setAttribute("aria-pressed", String(item.pad > 0));
  byId("scale").setAttribute("aria-pressed", String(item.scale === "low"));
  byId("loop").setAttribute("aria-pressed", String(keep.loop));
}

// ---- picture -----------------------------------------------------------------------------------------------------
const address = (what, version = item.version) => (item.row >= 0 ? `${item.base}/${what}?version=${version}&pad=${item.pad}` : `${item.base}/${what}?`);
const drawPicture = guarded(async () => {
  const mine = item;
  state.picture = "";
  const found = await ask(`${address("picture")}&scale=${mine.scale}`, undefined, { signal: latest("picture") });
  if (item !== mine) return;
  mine.picture = found;
  paintLevels(found);
  paintPicture();
  state.picture = mine.key;
  const long = found.samples / found.rate, touched = found.segments.length ? `${plural(found.segments.length, "segment")} touched by the artifact, the first at ${((found.segments[0][0] - found.span[0]) / found.rate).toFixed(2)} seconds` : "no touched segment known";
  byId("picture-text").textContent = `Waveform and spectrogram of ${long.toFixed(2)} seconds, 0 to ${Math.round(found.top_hz)} hertz; ${touched}.`;
});
function drawSoon() { controls(); drawPicture(); prefetch(); }
function prefetch() { // both versions, so that A and B change over at once
  const mine = item;
  if (!mine || (mine.row >= 0 && !mine.info?.has_clean && mine.version === "clean")) return;
  const wanted = mine.row >= 0 && mine.info?.has_clean ? ["damaged", "clean"] : [mine.version];
  for (const version of wanted) player.buffer(address("audio", version)).catch(() => {}); // playing tells what is wrong
}

// ---- sound -------------------------------------------------------------------------------------------------------
async function sound(from = null) {
  if (!item) return;
  if (player.voice && player.key === item.key && from === null) { item.at = 0; player.stop(); return; }
  const span = item.span, start = from ?? span?.[0] ?? item.at;
  await player.play(address("audio"), item.key, { from: start, to: span?.[1] ?? null, loop: keep.loop, version: item.version });
}
const seek = guarded(async (at, heard) => {
  item.at = at;
  if (heard || (player.voice && player.key === item.key)) await sound(at);
  cursor();
});
const version = guarded(async (name) => {
  if (!item?.info?.has_clean) { say("Nothing clean is known of this one."); return; }
  if (item.version === name) return;
  item.version = keep.version = name;
  controls();
  say(name);
  drawPicture();
  if (player.key === item.key) await player.change(address("audio"), name);
  state.version = name;
});
function rescale() {
  if (!item) return;
  item.scale = keep.scale = item.scale === "low" ? "linear" : "low";
  drawSoon();
}
function repad() {
  if (!item?.info?.can_pad) return;
  const before = item.pad;
  player.stop();
  item.pad = keep.pad = PADS[(PADS.indexOf(before) + 1) % PADS.length];
  item.at = 0;
  markSpan(null);
  drawSoon();
  say(`${item.pad} seconds of context`);
}
function toggleLoop() {
  keep.loop = !keep.loop;
  byId("loop").setAttribute("aria-pressed", String(keep.loop));
  if (player.voice && player.key === item?.key) guarded(sound)(player.position());
}
const stepWindow = (side) => { const to = item?.info?.[side]; if (typeof to === "number") select(to, { pan: true, speak: true, play: Boolean(player.voice) }); };
const searchSpan = guarded(async () => {
  if (!item?.span || item.row < 0) return;
  const [start, stop] = item.span.map((t) => t - home(item.picture));
  await arrived(await busy("Searching for this span…", () => ask("api/search/span", { row: item.row, start, stop, k: MANY_HITS }, { signal: latest("search") })), "span");
});

byId("play").addEventListener("click", guarded(() => sound()));
byId("damaged").addEventListener("click", () => version("damaged"));
byId("clean").addEventListener("click", () => version("clean"));
byId("loop").addEventListener("click", toggleLoop);
byId("pad").addEventListener("click", repad);
byId("scale").addEventListener("click", rescale);
byId("span").addEventListener("click", searchSpan);
byId("previous").addEventListener("click", () => stepWindow("previous"));
byId("next").addEventListener("click", () => stepWindow("next"));
byId("view").addEventListener("keydown", (event) => {
  const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
  if (!by || !item?.picture || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  event.stopPropagation();
  const long = seconds(item.picture), now = player.voice && player.key === item.key ? player.position() : item.at;
  seek(Math.min(long, Math.max(0, now + by * (event.shiftKey ? long / 10 : long / 100))), false);
});

// ---- tabs --------------------------------------------------------------------------------------------------------
const TABS = ["similar", "hits", "chosen", "facts"];
let tab = "similar";
function openTab(name, focus = false) {
  tab = state.tab = name;
  for (const other of TABS) {
    const button = byId(`tab-${other}`);
    button.setAttribute("aria-selected", String(other === name));
    button.tabIndex = other === name ? 0 : -1;
    byId(other).hidden = other !== name;
    if (focus && other === name) button.focus();
  }
  rings();
}
TABS.forEach((name, n) => {
  byId(`tab-${name}`).addEventListener("click", () => openTab(name));
  byId(`tab-${name}`).addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    openTab(TABS[(n + by + TABS.length) % TABS.length], true);
  });
});
