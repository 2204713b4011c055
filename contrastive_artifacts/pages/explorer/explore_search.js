// Searching: what is like a row, a sound, a span, a label or a lasso; the lists of what was found; the lasso's own panel.

const MANY_HITS = 12;
const SENT = 700; // rows of one search, as a request may hold them; of a larger set a random sample goes
const hits = { rows: [], heading: "", query: null };
const queries = new Map(); // id -> { query, hits, heading }: the sounds searched for in this sitting
const marks = { like: new Uint32Array(0), unlike: new Uint32Array(0) };
let likes = []; // the neighbours of the selected row

// ---- lists -------------------------------------------------------------------------------------------------------
function listRows(list, rows) {
  list.replaceChildren(...rows.map((hit, rank) => {
    const key = String(hit.row);
    const play = element("button", { type: "button", className: "sound", textContent: "▶", tabIndex: -1, title: "Play (Space in the list)" });
    play.dataset.key = key;
    play.setAttribute("aria-label", `Play ${hit.title}`);
    play.addEventListener("click", () => playRow(hit.row));
    const name = element("span", { className: "name" }, svg(labelLook(hit.label)), element("b", { textContent: hit.title }));
    const open = element("button", { type: "button", className: "row", tabIndex: rank ? -1 : 0 },
      element("span", { className: "rank", textContent: String(rank + 1) }), name,
      element("span", { className: "same", textContent: "same source", hidden: !hit.same_source }),
      element("span", { className: "score", textContent: hit.score.toFixed(3) }),
      element("span", { className: "from", textContent: `${hit.name} · ${hit.time}` }));
    open.dataset.row = key;
    open.setAttribute("aria-label", `${rank + 1}: ${hit.title}, score ${hit.score.toFixed(2)}, ${hit.name}, ${hit.time}${hit.same_source ? ", same source" : ""}`);
    open.addEventListener("click", () => select(hit.row, { pan: true, speak: true }));
    open.addEventListener("keydown", (event) => inList(event, list, rank, hit.row));
    open.addEventListener("pointerenter", () => glimpse(hit.row));
    open.addEventListener("pointerleave", () => glimpse(-1));
    return element("li", {}, play, open);
  }));
  markRows();
  listen();
}
function inList(event, list, rank, row) { // one stop for Tab, arrows inside, Space listens
  const to = { ArrowDown: rank + 1, ArrowUp: rank - 1, Home: 0, End: list.children.length - 1 }[event.key];
  if (event.key === " ") playRow(row);
  else if (to === undefined) return;
  else {
    const next = list.children[to]?.querySelector(".row");
    if (next) {
      list.querySelectorAll(".row").forEach((other) => { other.tabIndex = -1; });
      next.tabIndex = 0;
      next.focus();
    }
  }
  event.preventDefault();
  event.stopPropagation();
}
function glimpse(row) { // a row of a list shows where it lies, as under the pointer
  hovered = row;
  state.hovered = row >= 0 ? String(row) : "";
  mark();
}
const playRow = guarded(async (row) => {
  if (player.key === String(row)) { player.stop(); return; }
  if (item?.row === row) await sound();
  else await player.play(`api/rows/${row}/audio?version=damaged&pad=0`, String(row));
});
function markRows() {
  for (const open of document.querySelectorAll(".rows .row")) {
    const row = Number(open.dataset.row), decision = said.get(row)?.decision ?? "";
    open.parentElement.classList.toggle("current", row === selected);
    let shown_ = open.querySelector(".decision");
    if (!shown_) open.querySelector(".name").append(shown_ = element("span"));
    Object.assign(shown_, { className: `decision ${decision}`, textContent: { keep: "✓", reject: "✕", relabel: "↻" }[decision] ?? "", title: badge(said.get(row) ?? {}) });
  }
}
function rings() { // what is ringed on the map: the list that is open
  ringed = (tab === "hits" ? hits.rows : tab === "similar" ? likes : []).map(({ row }) => row);
  mark();
}
const similar = guarded(async () => {
  const row = item?.row ?? -1, list = byId("similar-rows");
  if (row < 0) {
    likes = [];
    list.replaceChildren(element("li", { className: "empty", textContent: item ? "The hits of this sound are under Hits." : "Select a row to see what is most like it." }));
    rings();
    return;
  }
  const others = byId("others").checked, where = byId("within").checked ? shownOnly() : null, signal = latest("similar");
  const found = where ? await ask("api/search/rows", { like: [row], unlike: [], k: MANY_HITS, where, others }, { signal })
    : await ask(`api/rows/${row}/neighbours?k=${MANY_HITS}&others=${others}`, undefined, { signal });
  if (item?.row !== row) return;
  likes = found.hits;
  if (likes.length) listRows(list, likes);
  else list.replaceChildren(element("li", { className: "empty", textContent: "Nothing else is left to compare with." }));
  state.similar = likes.length;
  rings();
});
byId("others").addEventListener("change", similar);
byId("within").addEventListener("change", similar);

// ---- hits --------------------------------------------------------------------------------------------------------
async function arrived(found, heading) {
  Object.assign(hits, { rows: found.hits, heading, query: found.query ?? null });
  state.hits = found.hits.length;
  if (found.query) {
    queries.set(found.query.id, { query: found.query, hits: found.hits, heading });
    stars = [...queries.values()].map(({ query }) => ({ x: query.x, y: query.y, id: query.id }));
    openQuery(found.query.id);
  } else showHits();
  openTab("hits");
  say(`${plural(found.hits.length, "hit")} for ${found.query ? found.query.name : heading}.`);
}
function showHits() {
  const { query, heading } = hits;
  byId("query").replaceChildren(query ? queryCard(query, heading) : element("p", { className: "empty", textContent: hits.rows.length ? `${plural(hits.rows.length, "hit")}: ${heading}` : `Nothing was found: ${heading}.` }));
  listRows(byId("hit-rows"), hits.rows);
  rings();
}
function queryCard(query, heading) {
  const again = element("button", { type: "button", textContent: query.name, title: "Show and hear it" });
  again.addEventListener("click", () => openQuery(query.id));
  const rows = query.probabilities.slice(0, 5).map(([name, p]) => [name, p, `${(100 * p).toFixed(0)} %`]);
  return element("div", { className: "card" },
    element("div", { className: "line" }, element("span", { className: "soft", textContent: heading === "span" ? "Span" : "Sound" }), again),
    rows.length ? bars("Heard as", rows, 1) : element("p", { className: "empty", textContent: "No probe says what is heard here." }));
}
function bars(heading, rows, most = Math.max(...rows.map(([, many]) => many), 1e-9)) {
  return element("div", {}, element("h3", { textContent: heading }), element("div", { className: "bars" }, ...rows.flatMap(([name, many, text]) => {
    const rail = element("span", { className: "rail" }, element("span"));
    rail.firstChild.style.width = `${(100 * many) / most}%`;
    return [element("span", { className: "name", textContent: name || "(none)", title: name }), rail, element("span", { className: "many", textContent: text })];
  })));
}
function openQuery(id) {
  const entry = queries.get(id);
  if (!entry) return;
  const { query } = entry;
  Object.assign(hits, { rows: entry.hits, heading: entry.heading, query });
  state.hits = entry.hits.length;
  state.query = id;
  selected = -1;
  state.selected = "";
  player.stop();
  show({ key: `query:${id}`, base: `api/queries/${encodeURIComponent(id)}`, row: -1, picture: null, at: 0, span: null, version: "damaged", pad: 0, scale: keep.scale,
    info: { title: query.name, name: `${query.seconds.toFixed(2)} s, ${amount(query.rate)} Hz, ${plural(query.channels, "channel")}`, time: "", heard: query.heard, heard_severity: query.severity, heard_probability: query.probabilities[0]?.[1] ?? null, has_clean: false, can_pad: false, previous: null, next: null } });
  tell();
  showHits();
  openTab("hits");
  reveal(query.x, query.y);
}

// ---- from a file or a label --------------------------------------------------------------------------------------
const upload = guarded(async (file) => {
  if (!file) return;
  if (file.size > about.upload_bytes) throw new Error(`${file.name} has ${amount(Math.ceil(file.size / 2 ** 20))} MiB; a sound to search for may have ${amount(Math.floor(about.upload_bytes / 2 ** 20))} MiB. Cut out the part that matters.`);
  if (!file.size) throw new Error(`${file.name} is empty.`);
  const headers = { "Content-Type": "application/octet-stream", "X-Name": encodeURIComponent(file.name) };
  await arrived(await busy(`Searching for ${file.name} (${(file.size / 2 ** 20).toFixed(1)} MiB)…`, () => ask(`api/search/sound?k=${MANY_HITS}`, file, { headers, signal: latest("search") })), "sound");
});
byId("upload").addEventListener("click", () => byId("file").click());
byId("file").addEventListener("change", (event) => { const [file] = event.target.files; event.target.value = ""; upload(file); });
const carries = (event) => [...event.dataTransfer?.types ?? []].includes("Files");
for (const kind of ["dragenter", "dragover"]) {
  addEventListener(kind, (event) => { if (carries(event)) { event.preventDefault(); byId("drop").hidden = false; event.dataTransfer.dropEffect = "copy"; } });
}
addEventListener("dragleave", (event) => { if (!event.relatedTarget) byId("drop").hidden = true; });
addEventListener("drop", (event) => {
  byId("drop").hidden = true;
  if (!carries(event)) return;
  event.preventDefault();
  const files = [...event.dataTransfer.files];
  if (files.length > 1) trouble("One sound at a time: drop a single file.");
  else upload(files[0]);
});
byId("by-label").addEventListener("change", guarded(async (event) => {
  const name = event.target.value;
  event.target.value = "";
  if (name) await arrived(await busy(`Searching for ${name}…`, () => ask("api/search/label", { label: name, k: MANY_HITS }, { signal: latest("search") })), `like ${name}`);
}));
function labelChoices() {
  const names = about.encoder.labels?.length ? about.encoder.labels : about.labels;
  byId("by-label").replaceChildren(element("option", { value: "", textContent: "Search by label" }), ...names.map((name) => element("option", { value: name, textContent: name })));
  byId("by-label").hidden = !names.length;
}

// ---- lasso -------------------------------------------------------------------------------------------------------
function sample(rows, most) { // without putting back, in the order drawn
  if (rows.length <= most) return [...rows];
  const drawn = new Set();
  while (drawn.size < most) drawn.add(rows[Math.floor(Math.random() * rows.length)]);
  return [...drawn];
}
const searchRows = guarded(async (like, unlike) => {
  const heading = unlike.length ? `like ${amount(like.length)}, unlike ${amount(unlike.length)} rows` : `like ${plural(like.length, "row")}`;
  const sampled = Math.max(like.length, unlike.length) > SENT ? ` (a random ${SENT} of them)` : "";
  const where = byId("within").checked ? shownOnly() : null;
  const body = { like: sample(like, SENT), unlike: sample(unlike, SENT), k: MANY_HITS, where, others: like.length === 1 && byId("others").checked };
  await arrived(await busy(`Searching ${heading}…`, () => ask("api/search/rows", body, { signal: latest("search") })), heading + sampled);
});
function showChosen() {
  const many = chosen.length, act = (text, job, off = false, title = "") => {
    const button = element("button", { type: "button", textContent: text, disabled: off, title });
    button.addEventListener("click", job);
    return button;
  };
  byId("tab-chosen").textContent = many ? `Selection ${amount(many)}` : "Selection";
  const all = act("Select all shown", () => { const rows = new Uint32Array(visible); let n = 0; for (let i = 0; i < count; i++) if (shown[i]) rows[n++] = i; choose(rows); }, !visible);
  const sets = marks.like.length || marks.unlike.length;
  const line = (...children) => element("div", { className: "line wrap" }, ...children);
  const parts = [];
  if (!many) parts.push(element("p", { className: "empty", textContent: "Draw a lasso on the map: Shift-drag, or G and drag. Or take everything that the filters leave:" }), line(all));
  else {
    parts.push(line(element("b", { textContent: `${plural(many, "row")} selected` }), element("span", { className: "gap" }), act("Play one at random", playRandom), act("Clear", () => choose(new Uint32Array(0)))));
    parts.push(line(act("Keep all", () => labelMany("keep")), act("Reject all", () => labelMany("reject")), act("Relabel all…", () => labelMany("relabel"))));
    parts.push(line(act("Search like these", () => searchRows(chosen, [])), act("Mark as like", () => { marks.like = chosen; showChosen(); }), act("Mark as unlike", () => { marks.unlike = chosen; showChosen(); })));
  }
  if (sets) {
    parts.push(line(element("span", { className: "soft", textContent: `like ${amount(marks.like.length)} − unlike ${amount(marks.unlike.length)}` }),
      act("Search", () => searchRows(marks.like, marks.unlike), !marks.like.length, marks.like.length ? "" : "Mark a set as like first"),
      act("Forget both", () => { marks.like = marks.unlike = new Uint32Array(0); showChosen(); })));
  }
  const mixture = element("div", { className: "mixture" });
  if (many) { parts.push(mixture, line(element("label", {}, onwardsBox(), "next one after a decision"))); mix(mixture, chosen); }
  byId("chosen").replaceChildren(...parts);
  if (many) { openTab("chosen"); say(`${plural(many, "row")} selected.`); }
}
function onwardsBox() {
  const box_ = element("input", { type: "checkbox", className: "onwards", checked: onwards });
  box_.addEventListener("change", () => setOnwards(box_.checked));
  return box_;
}
const mix = guarded(async (into, rows) => {
  const names = ["artifact", "heard", "label", "source"].filter((name) => columns.get(name)?.kind === "category" && (name !== "label" || said.size));
  const shares = (await Promise.all(names.map(load))).map(({ name, data, values }) => {
    const counts = new Uint32Array(values.length + 1);
    for (const row of rows) counts[Math.min(data[row], values.length)]++;
    const top = values.map((_, code) => code).filter((code) => counts[code]).sort((a, b) => counts[b] - counts[a]);
    const listed_ = top.slice(0, 5).map((code) => [values[code] || "(none)", counts[code], `${Math.round((100 * counts[code]) / rows.length)} %`]);
    return bars(top.length > 5 ? `${name}, 5 of ${amount(top.length)}` : name, listed_);
  });
  if (rows === chosen) into.replaceChildren(...shares);
});
function playRandom() {
  const row = chosen[Math.floor(Math.random() * chosen.length)];
  select(row, { play: true, pan: true, speak: true });
}
