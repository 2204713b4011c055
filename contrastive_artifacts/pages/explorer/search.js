// Searches: rows similar to the selected one, to a sound file, a span, a label, or to sets of rows; and their hits.
import { byId, element, state } from "../../core/html/base.js";
import { ask, busy, guarded, say, trouble } from "../shared/asking.js";
import { amount, plural } from "../shared/counts.js";
import { Place } from "../shared/place.js";
import { player } from "../shared/player.js";
import { filterNumber, filterQuery, shownOf } from "./binding.js";
import { filtered } from "./filter.js";
import { mark } from "./frames.js";
import { bars, listRows } from "./lists.js";
import { MANY_HITS, about, listsChanged, page } from "./page.js";
import { describe, itemChanged, itemDescribed, itemSettled, openTab, settle, show } from "./panel.js";
import { home } from "./picture.js";
import { drawStrip, summary, timeText } from "./strip.js";
import { reveal } from "./view.js";

const PART_S = 60; // of a query that are shown at once, as the server cuts it
const MOST_SENT = 700; // rows of one search, as a request may hold them; a larger set is sampled
const FILTER_MS = 300; // a range that is being dragged asks once
const queries = new Map(); // id -> { query, hits, heading }, since the page was opened

// ---- rows similar to the selected one ----------------------------------------------------------------------------
const similarPlace = new Place(byId("similar-note"), () => {
  page.similar = [];
  state.similar = 0;
  byId("similar-rows").replaceChildren();
  mark();
});
function listSimilar() {
  const row = page.item?.row ?? -1;
  similarPlace.clear();
  if (row < 0) { similarPlace.tell(page.item ? "The hits of this query are under Hits." : "Select a row to see the rows most similar to it."); return; }
  const others = byId("others").checked;
  const job = async (options) => ask(`api/rows/${row}/neighbours?k=${MANY_HITS}&others=${others}${await filterQuery()}`, undefined, options);
  similarPlace.fill(job, ({ hits }) => {
    page.similar = hits;
    if (hits.length) listRows(byId("similar-rows"), hits);
    else similarPlace.tell("There are no other rows to compare with.");
    state.similar = hits.length;
    mark();
  });
}
itemChanged.on(() => similarPlace.clear());
itemSettled.on(listSimilar);
byId("others").addEventListener("change", listSimilar);
let similarTimer = 0;
filtered.on(() => { clearTimeout(similarTimer); similarTimer = setTimeout(listSimilar, FILTER_MS); });

// ---- hits --------------------------------------------------------------------------------------------------------
const hitsPlace = new Place(byId("hits-note"), () => {
  Object.assign(page.hits, { rows: [], heading: "", query: null });
  state.hits = 0;
  byId("query").replaceChildren();
  byId("hit-rows").replaceChildren();
  mark();
});
// Runs a search while a text is shown, and lists its hits. Its query is shown unless another item was opened meanwhile.
async function search(text, heading, job) {
  const mine = page.item;
  openTab("hits");
  await hitsPlace.fill((options) => busy(text, () => job(options)), ({ hits, query }) => {
    Object.assign(page.hits, { rows: hits, heading, query: query ?? null });
    state.hits = hits.length;
    if (query) {
      queries.set(query.id, { query, hits, heading });
      page.stars = [...queries.values()].map(({ query: { x, y, id } }) => ({ x, y, id }));
    }
    if (query && page.item === mine) openQuery(query.id);
    else listHits();
    say(`${plural(hits.length, "hit")} for ${query ? query.name : heading}.`);
  }, { text });
}
function listHits() {
  const { query, heading, rows } = page.hits, visible = shownOf(rows.map(({ row }) => row)), isShown = new Set(visible);
  const some = visible.length < rows.length ? `${plural(rows.length, "hit")}, ${amount(visible.length)} shown` : plural(rows.length, "hit");
  const title = element("p", { className: "empty", textContent: rows.length ? `${some}: ${heading}` : `No hits: ${heading}.` });
  byId("query").replaceChildren(...(query ? [queryCard(query, heading), ...(visible.length < rows.length ? [title] : [])] : [title]));
  listRows(byId("hit-rows"), rows.filter(({ row }) => isShown.has(row)));
  listsChanged.emit();
  mark();
}
filtered.on(() => { if (page.hits.rows.length) listHits(); });
function queryCard(query, heading) {
  const again = element("button", { type: "button", textContent: query.name, title: "Show this query" });
  again.addEventListener("click", () => openQuery(query.id));
  const rows = query.probabilities.slice(0, 5).map(([name, p]) => [name, p, `${(100 * p).toFixed(0)} %`]), long = query.stretches.length > 1;
  return element("div", { className: "card" },
    element("div", { className: "line" }, element("span", { className: "soft", textContent: heading === "span" ? "Span" : "Sound" }), again),
    ...(long ? [bars("Heard for", summary(query.stretches).map(([name, s]) => [name, s, timeText(s)]), query.seconds)] : []),
    rows.length ? bars(long ? "Mean of all windows" : "Classified as", rows, 1) : element("p", { className: "empty", textContent: "There is no probe to classify it." }));
}
// Shows a query on the panel and the map, with its hits.
export function openQuery(id) {
  const entry = queries.get(id);
  if (!entry) return;
  const { query } = entry;
  Object.assign(page.hits, { rows: entry.hits, heading: entry.heading, query });
  state.hits = entry.hits.length;
  state.query = id;
  page.selected = -1;
  state.selected = "";
  player.stop();
  const info = {
    title: query.name, name: `${query.seconds.toFixed(2)} s, ${amount(query.rate)} Hz, ${plural(query.channels, "channel")}`, time: "",
    heard: query.heard, heard_severity: query.severity, heard_probability: query.probabilities[0]?.[1] ?? null, stretches: query.stretches,
    seconds: query.seconds, part_s: PART_S,
    channel_names: query.channel_names, has_clean: false, can_pad: false, previous: null, next: query.seconds > PART_S ? PART_S : null,
  };
  show({ key: `query:${id}`, base: `api/queries/${encodeURIComponent(id)}`, row: -1, query, part: 0, picture: null, at: 0, span: null, zoom: {}, version: "damaged", channel: "all", pad: 0, info });
  describe();
  settle();
  listHits();
  openTab("hits");
  reveal(query.x, query.y);
}

// ---- by a span, rows, a file or a label --------------------------------------------------------------------------
export const searchSpan = guarded(async () => {
  const { item } = page;
  if (!item?.span || !item.picture) return;
  const [start, stop] = item.span.map((t) => t - home(item.picture)), whose = item.row >= 0 ? { row: item.row } : { query: item.query.id };
  await search("Searching for this span…", "span", async (options) => ask("api/search/span", { ...whose, start, stop, k: MANY_HITS, filter: await filterNumber() }, options));
});
const searchStretch = guarded((id, { start, stop, label }) => search(`Searching for ${timeText(start)} to ${timeText(stop)}, ${label}…`, "span", async (options) => ask("api/search/span", { query: id, start, stop, k: MANY_HITS, filter: await filterNumber() }, options)));
// The strip is that of the whole sound, also where one of its stretches is open.
function showStrip() {
  const query = page.item?.query, whole = query && (queries.get(query.parent)?.query ?? query);
  drawStrip(whole?.stretches ?? [], query === whole ? {} : query, (stretch) => (stretch ? searchStretch(whole.id, stretch) : openQuery(whole.id)));
}
itemChanged.on(() => drawStrip([], {}));
itemDescribed.on(showStrip);
byId("span").addEventListener("click", searchSpan);

function sample(rows, most) { // without repetition
  if (rows.length <= most) return [...rows];
  const drawn = new Set();
  while (drawn.size < most) drawn.add(rows[Math.floor(Math.random() * rows.length)]);
  return [...drawn];
}
export const searchRows = guarded(async (like, unlike) => {
  const heading = unlike.length ? `like ${amount(like.length)}, unlike ${amount(unlike.length)} rows` : `like ${plural(like.length, "row")}`;
  const sampled = Math.max(like.length, unlike.length) > MOST_SENT ? ` (a random ${MOST_SENT} of them)` : "";
  const body = { like: sample(like, MOST_SENT), unlike: sample(unlike, MOST_SENT), k: MANY_HITS, filter: await filterNumber(), others: like.length === 1 && byId("others").checked };
  await search(`Searching ${heading}…`, heading + sampled, (options) => ask("api/search/rows", body, options));
});

const mebibytes = (bytes) => bytes / 2 ** 20;
const upload = guarded(async (file) => {
  if (!file) return;
  if (file.size > about.upload_bytes) throw new Error(`${file.name} has ${amount(Math.ceil(mebibytes(file.size)))} MiB; a sound to search for may have ${amount(Math.floor(mebibytes(about.upload_bytes)))} MiB. Cut out the relevant part.`);
  if (!file.size) throw new Error(`${file.name} is empty.`);
  const headers = { "Content-Type": "application/octet-stream", "X-Name": encodeURIComponent(file.name) };
  await search(`Searching for ${file.name} (${mebibytes(file.size).toFixed(1)} MiB)…`, "sound", async (options) => ask(`api/search/sound?k=${MANY_HITS}${await filterQuery()}`, file, { headers, ...options }));
});
byId("upload").addEventListener("click", () => byId("file").click());
byId("file").addEventListener("change", (event) => { const [file] = event.target.files; event.target.value = ""; upload(file); });
const carriesFiles = (event) => [...event.dataTransfer?.types ?? []].includes("Files");
for (const kind of ["dragenter", "dragover"]) {
  addEventListener(kind, (event) => { if (carriesFiles(event)) { event.preventDefault(); byId("drop").hidden = false; event.dataTransfer.dropEffect = "copy"; } });
}
addEventListener("dragleave", (event) => { if (!event.relatedTarget) byId("drop").hidden = true; });
addEventListener("drop", (event) => {
  byId("drop").hidden = true;
  if (!carriesFiles(event)) return;
  event.preventDefault();
  const files = [...event.dataTransfer.files];
  if (files.length > 1) trouble("Drop a single file: one sound at a time.");
  else upload(files[0]);
});

byId("by-label").addEventListener("change", guarded(async (event) => {
  const name = event.target.value;
  event.target.value = "";
  if (name) await search(`Searching for ${name}…`, `like ${name}`, async (options) => ask("api/search/label", { label: name, k: MANY_HITS, filter: await filterNumber() }, options));
}));
export function listLabels() {
  const names = about.encoder.labels?.length ? about.encoder.labels : about.labels;
  byId("by-label").replaceChildren(element("option", { value: "", textContent: "Search by label" }), ...names.map((name) => element("option", { value: name, textContent: name })));
  byId("by-label").hidden = !names.length;
}
