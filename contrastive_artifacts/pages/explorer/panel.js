// The panel of the selected row, or of a query: its title, verdict, label and facts; and the tabs below it.
import { byId, element, rowsTable, signal, state, token } from "../../core/html/base.js";
import { ask, guarded, say } from "../shared/asking.js";
import { amount } from "../shared/counts.js";
import { marker } from "../shared/marks.js";
import { Place } from "../shared/place.js";
import { player } from "../shared/player.js";
import { points } from "./columns.js";
import { mark } from "./frames.js";
import { markButtons } from "./hover.js";
import { lookOf, styles } from "./looks.js";
import { page, playback, userLabels } from "./page.js";
import { markSpan } from "./picture.js";
import { summary, timeText } from "./strip.js";
import { controls, drawPicture, picturePlace, prefetch, sound, versionsOf } from "./transport.js";
import { reveal } from "./view.js";

export const itemChanged = signal(); // at once
export const itemDescribed = signal(); // when its facts are there
export const itemSettled = signal(); // when it is time to ask for more than its picture
const QUICK_MS = 140; // while an arrow key is held down, only the last row's picture is requested
let pictureTimer = 0;

// ---- selecting ---------------------------------------------------------------------------------------------------
// An item is { key, base (address), row (-1: a query), info, picture, image, version, channel, pad, zoom, at, span,
// cross }: zoom holds the edges { from, to, low, high } that the user has set, cross is the crosshair.
// The panel shows nothing but this item: its places are blanked when another is shown.
export const select = guarded(async (row, { play = false, pan = false, speak = false, quick = false } = {}) => {
  if (row === page.selected && page.item?.row === row && row >= 0) { if (play) await sound(); return; }
  page.selected = row;
  state.selected = row >= 0 ? String(row) : "";
  player.stop(String(row)); // a row that plays on hover goes on
  mark();
  if (row < 0) { show(null); return; }
  if (pan) reveal(points.x[row], points.y[row]);
  const mine = { key: String(row), base: `api/rows/${row}`, row, info: null, picture: null, at: 0, span: null, zoom: {}, version: playback.version, channel: playback.channel, pad: playback.pad };
  const plain = mine.version === "damaged" && mine.channel === "all" && !mine.pad;
  const begin = () => { settle(quick); if (play && player.key !== mine.key) guarded(sound)(); };
  show(mine);
  if (plain) begin();
  await describeRow();
  if (page.item !== mine) return;
  if (!plain) { // not every row has a clean version or context
    if (!versionsOf(mine.info).includes(mine.version)) mine.version = "damaged";
    if (!mine.info?.can_pad) mine.pad = 0;
    if (!mine.info?.channel_names.some(([name]) => name === mine.channel)) mine.channel = "all";
    controls();
    begin();
  } else if (!quick) prefetch();
  const { info } = mine;
  if (speak && info) say(`Row ${row}: ${info.title}. ${info.name}, ${info.time}. ${info.heard ? `Classified as ${verdictText(info)}.` : ""} ${info.decision ? `Label: ${info.decision} ${info.label}.` : ""}`);
});
// Shows another item, or none, before anything is known of it; see settle.
export function show(next) {
  page.item = next;
  byId("nothing").hidden = Boolean(next);
  byId("item").hidden = !next;
  byId("panel").setAttribute("aria-label", next?.row < 0 ? "Query" : "Selected row");
  byId("span").hidden = true;
  state.span = "";
  clearTimeout(pictureTimer);
  picturePlace.clear();
  infoPlace.clear();
  itemChanged.emit();
  if (!next) { itemSettled.emit(); return; }
  controls();
  markButtons();
}
// Asks for the picture of the item and what else belongs to it.
export function settle(quick = false) {
  clearTimeout(pictureTimer);
  pictureTimer = setTimeout(() => { drawPicture(); itemSettled.emit(); prefetch(); }, quick ? QUICK_MS : 0);
}

// ---- title, verdict, label and facts -----------------------------------------------------------------------------
const infoPlace = new Place(byId("info-note"), () => {
  const row = page.item?.row ?? -1;
  byId("mark").replaceChildren(...(row >= 0 ? [marker(lookOf(styles[row]))] : []));
  byId("title").textContent = row >= 0 ? `Row ${amount(row)}` : "";
  byId("where").textContent = byId("note").value = "";
  byId("verdict").replaceChildren();
  byId("facts").replaceChildren();
  byId("beside").replaceChildren();
  byId("hint-versions").hidden = true;
  for (const name of ["damaged", "clean", "difference", "pad", "previous", "next"]) byId(name).disabled = true;
  byId("decide").hidden = row < 0;
  describeLabel(userLabels.get(row) ?? {});
});
const describeRow = () => infoPlace.fill((options) => ask(page.item.base, undefined, options), (info) => { page.item.info = info; describe(); });
function describeLabel({ decision = "", label = "" }) {
  byId("badge").className = decision;
  byId("badge").textContent = badge({ decision, label });
  for (const name of ["keep", "reject", "relabel"]) byId(name).setAttribute("aria-pressed", String(decision === name));
}
// Writes what the server answered about the item, and the label that it has by now.
export function describe() {
  const { info, row } = page.item;
  byId("mark").replaceChildren(marker(row >= 0 ? lookOf(styles[row]) : { fill: token("--accent"), shape: "diamond" }));
  byId("title").textContent = info.title;
  byId("where").textContent = [info.name, info.time].filter(Boolean).join(" · ");
  const facts = [["known", row >= 0 ? labelText(info.known, info.severity) : ""], [info.stretches?.length > 1 ? "heard for" : "classified as", verdictText(info)]];
  byId("verdict").replaceChildren(...facts.filter(([, text]) => text).flatMap(([name, text]) => [element("span", { textContent: name }), element("b", { textContent: text })]));
  describeLabel(row >= 0 ? userLabels.get(row) ?? info : {});
  byId("note").value = info.note ?? "";
  listBeside(info.beside ?? []);
  itemDescribed.emit();
  byId("versions").hidden = byId("hint-versions").hidden = versionsOf(info).length < 2;
  byId("difference").hidden = !info.has_clean;
  byId("damaged").textContent = info.has_clean ? "A damaged" : "A this";
  byId("clean").textContent = info.has_clean ? "B clean" : `B clean ${apartText(info.clean_window)}`;
  byId("clean").title = info.has_clean ? "B: clean" : "B: the nearest clean window of this recording";
  byId("pad").hidden = !info.can_pad;
  for (const name of ["damaged", "clean", "difference", "pad"]) byId(name).disabled = false;
  byId("steps").hidden = info.previous === null && info.next === null;
  byId("previous").disabled = info.previous === null;
  byId("next").disabled = info.next === null;
  controls();
  markButtons();
  if (row >= 0) factTables(info);
}
function listBeside(channels) { // the verdicts on the channels of the same samples
  byId("beside").replaceChildren(...channels.map(({ row, channel, title }) => {
    const button = element("button", { type: "button", textContent: `${channel}: ${title}`, title: `Channel ${channel}` });
    button.setAttribute("aria-pressed", String(row === page.item.row));
    button.addEventListener("click", () => select(row, { pan: true, speak: true }));
    return button;
  }));
}
const apartText = (s) => (typeof s === "number" ? `${s < 0 ? "−" : "+"}${Math.abs(s).toFixed(1)} s` : "");
// Asks for the facts of the item again.
export async function refreshInfo(options = {}) {
  const mine = page.item;
  if (!(mine?.row >= 0)) return;
  mine.info = await ask(mine.base, undefined, options);
  if (page.item === mine) describe();
}
const BADGES = { keep: "✓ kept", reject: "✕ rejected", relabel: "↻ now " };
export const badge = ({ decision, label }) => (decision ? BADGES[decision] + (decision === "relabel" ? label : "") : "");
const labelText = (name, severity, p) => [name, name !== "clean" && typeof severity === "number" ? `severity ${severity.toFixed(2)}` : "", typeof p === "number" ? `probability ${Math.round(100 * p)} %` : ""].filter(Boolean).join(", ");
// Of a long sound, what is heard for how long.
export const verdictText = (info) => (info.stretches?.length > 1 ? summary(info.stretches).map(([name, s]) => `${name} ${timeText(s)}`).join(", ") : info.heard ? [[info.heard, info.heard_severity, info.heard_probability], ...(info.also ?? []).map(([name, p]) => [name, null, p])].map((parts) => labelText(...parts)).join("; ") : "");
function factTables(info) {
  const tables = [["Row", [["row", amount(info.row)], ["length", `${info.seconds.toFixed(3)} s`], ["rate", `${amount(info.rate)} Hz`], ["channels", String(info.channels)], ["source", info.source], ...info.facts]], ["Parameters of the artifact", info.params]];
  byId("facts").replaceChildren(...tables.filter(([, rows]) => rows.length).flatMap(([heading, rows]) => [element("h3", { textContent: heading }), rowsTable(rows.filter(([, text]) => text !== ""))]));
}

function openPart(at) { // another minute of a long query, from `at` seconds
  const { item } = page, { info } = item;
  player.stop();
  Object.assign(item, { part: at, at: 0, zoom: {}, cross: null });
  Object.assign(info, { previous: at >= info.part_s ? at - info.part_s : null, next: at + info.part_s < info.seconds ? at + info.part_s : null });
  markSpan(null);
  describe();
  drawPicture();
  prefetch();
}
export function stepWindow(side) { // "previous" or "next" window of the recording
  const to = page.item?.info?.[side];
  if (typeof to !== "number") return;
  if (page.item.row < 0) openPart(to);
  else select(to, { pan: true, speak: true, play: Boolean(player.voice) });
}
byId("previous").addEventListener("click", () => stepWindow("previous"));
byId("next").addEventListener("click", () => stepWindow("next"));

// ---- tabs --------------------------------------------------------------------------------------------------------
const TABS = ["similar", "hits", "chosen", "facts"];
export function openTab(name, focus = false) {
  page.tab = state.tab = name;
  for (const other of TABS) {
    const button = byId(`tab-${other}`);
    button.setAttribute("aria-selected", String(other === name));
    button.tabIndex = other === name ? 0 : -1;
    byId(other).hidden = other !== name;
    if (focus && other === name) button.focus();
  }
  mark(); // the rings are those of the open list
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
