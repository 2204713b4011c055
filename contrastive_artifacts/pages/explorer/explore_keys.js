// The keyboard, and how the page starts. Every key but the arrows works wherever no text is being typed.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SHEET = [
  ["← ↑ → ↓", "next row in that direction"], ["Enter", "select the row under the pointer, else play"], ["Space", "play, stop"], ["+  −  0", "zoom in, out, fit"],
  ["A  B", "damaged, clean (also while playing)"], ["P", "loop"], [",  .", "previous, next window"], ["C", "context: ± 0, 2, 10 s"], ["F", "frequency to 1 kHz, to all"],
  ["[  ]", "begin, end a span at the playhead"], ["S", "search the span"], ["H", "hover to hear"], ["G", "lasso tool"], ["Shift-drag", "lasso; adds with the tool on"],
  ["K", "keep"], ["X or R", "reject"], ["L", "relabel"], ["Shift-K X L", "the same for all selected"], ["U or Ctrl-Z", "undo the last act"], ["N", "note for the next decision"],
  ["J  Shift-J", "next, previous of the list"], ["1 2 3 4", "Similar, Hits, Selection, Facts"], ["O", "search by a sound file"], ["/", "filter by text"], ["M", "to the map"], ["Esc", "clear: lasso, span, selection"], ["?", "this sheet"],
];

function arrow(key) {
  const from = selected >= 0 && shown[selected] ? selected : -1, to = from < 0 ? central() : neighbour(from, ...ARROWS[key]);
  if (to < 0) { say("No row in that direction; zoom out or take filters away."); return; }
  hover(-1);
  select(to, { pan: true, speak: true, quick: true, play: player.enabled });
}
function enter() {
  if (hovered >= 0 && hovered !== selected) select(hovered, { speak: true });
  else if (item) guarded(sound)();
  else arrow("ArrowRight");
}
function escape() { // one thing after the other, the newest first
  if (trail.length) { trail = []; press = null; mark(); } else if (byId("trouble").textContent) trouble("");
  else if (player.voice) player.stop();
  else if (item?.span) markSpan(null);
  else if (lassoing) toggleLasso(false);
  else if (chosen.length) choose(new Uint32Array(0));
  else select(-1);
}
const KEYS = {
  " ": () => (item ? guarded(sound)() : player.stop()), Enter: enter, Escape: escape, "+": () => zoom(1.5), "=": () => zoom(1.5), "-": () => zoom(1 / 1.5), 0: fit,
  a: () => version("damaged"), b: () => version("clean"), p: toggleLoop, ",": () => stepWindow("previous"), ".": () => stepWindow("next"), c: repad, f: rescale,
  "[": () => markEdge(0), "]": () => markEdge(1), s: searchSpan, h: () => toggleHear(), g: () => toggleLasso(), k: () => say1("keep"), x: () => say1("reject"), r: () => say1("reject"),
  l: relabelOne, K: () => labelMany("keep"), X: () => labelMany("reject"), R: () => labelMany("reject"), L: () => labelMany("relabel"), u: undo, n: () => byId("note").focus(),
  j: () => step(1), J: () => step(-1), 1: () => openTab("similar", true), 2: () => openTab("hits", true), 3: () => openTab("chosen", true), 4: () => openTab("facts", true),
  o: () => byId("file").click(), "/": () => byId("find").focus(), m: () => map.focus(), "?": help,
};
const REPEATS = ["+", "=", "-", ",", ".", "j", "J"];

function help() { byId("sheet").showModal(); byId("sheet-close").focus(); }
byId("help").addEventListener("click", help);
byId("sheet-close").addEventListener("click", () => byId("sheet").close());
byId("key-list").append(element("dl", {}, ...SHEET.map(([key, text]) => element("div", {}, element("dt", {}, element("kbd", { textContent: key })), element("dd", { textContent: text })))));

document.addEventListener("keydown", (event) => {
  if (event.isComposing || document.querySelector("dialog[open]")) return;
  const typing = event.target.matches?.("input[type=text], input[type=search]");
  if (event.ctrlKey || event.metaKey) {
    if (event.key.toLowerCase() === "z" && !event.shiftKey && !typing) { event.preventDefault(); undo(); }
    return;
  }
  if (event.altKey) return;
  if (typing) {
    if (event.key === "Escape" || (event.key === "Enter" && event.target === byId("note"))) { event.preventDefault(); map.focus(); }
    return;
  }
  if (event.target.matches?.("select") && event.key !== "Escape") return;
  if (ARROWS[event.key]) {
    if (event.target !== map && event.target !== document.body) return; // lists, sliders and tabs have their own
    event.preventDefault();
    arrow(event.key);
    return;
  }
  if ((event.key === " " || event.key === "Enter") && event.target.matches?.("button, a, input, [role=tab]")) return; // they answer themselves
  const key = event.key.length > 1 ? event.key : event.shiftKey ? event.key.toUpperCase() : event.key.toLowerCase(); // whatever Caps Lock does
  const act = KEYS[key] ?? KEYS[key.toLowerCase()];
  if (!act || (event.repeat && !REPEATS.includes(key))) return;
  event.preventDefault();
  act();
});

// ---- start -------------------------------------------------------------------------------------------------------
darkQuery.addEventListener("change", () => {
  paintStyles();
  legend();
  if (item?.picture) paintLevels(item.picture);
  paintPicture();
  if (item?.info) tell();
  if (hits.rows.length) listRows(byId("hit-rows"), hits.rows);
  if (likes.length) listRows(byId("similar-rows"), likes);
});
new ResizeObserver(resize).observe(map);
new ResizeObserver(paintPicture).observe(byId("view"));

byId("method").textContent = [plural(count, "row"), about.encoder.name, about.map.method].filter(Boolean).join(" · ");
byId("method").title = about.map.method;
Object.assign(state, { visible: count, selected: "", hovered: "", playing: "", version: "damaged", lasso: 0, hits: 0, labels: 0, query: "", error: "", drawn: 0, tab });
guarded(async () => {
  adopt(about.columns);
  settle();
  choices();
  labelChoices();
  counted({ keep: 0, reject: 0, relabel: 0 });
  colour = columns.has(about.colour) ? about.colour : [...columns.keys()][0] ?? "";
  const bytes = await busy("Loading the map…", () => ask("api/map", undefined, { as: "arrayBuffer" }));
  if (bytes.byteLength !== 8 * count) throw new Error(`The map has ${bytes.byteLength / 8} places for ${count} rows; load the page again.`);
  points.x = new Float32Array(bytes, 0, count);
  points.y = new Float32Array(bytes, 4 * count, count);
  buildGrid();
  shuffle();
  resize();
  startDrawing();
  fit();
  if (colour) await recolour(colour);
  counted(await readSaid());
  await filter();
  showChosen();
  similar();
  markRows();
  map.focus();
  state.ready = count;
})();
