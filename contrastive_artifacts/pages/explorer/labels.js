// User labels: keep, reject, relabel, undo. The page stores nothing: a label
// is shown once the server has written it, and an error is shown if it has not.
import { byId, element, state } from "../../core/html/base.js";
import { ask, busy, guarded, latest, say, trouble } from "../shared/asking.js";
import { amount, plural } from "../shared/counts.js";
import { filterQuery, shownOf } from "./binding.js";
import { columns, load, reload } from "./columns.js";
import { askLabel, changeText, confirmed } from "./dialogs.js";
import { active, filter, filtered } from "./filter.js";
import { mark } from "./frames.js";
import { legend, listColumns, recolour } from "./legend.js";
import { markRows } from "./lists.js";
import { about, count, listedRows, listsChanged, page, userLabels } from "./page.js";
import { describe, refreshInfo, select } from "./panel.js";

const MOST_LABELLED = 20000; // rows of one act, as the server takes them
const CONFIRMED = 500; // more rows are labelled only after a question
const REFRESH_MS = 250; // several labels in a row fetch the columns once
let busyLabelling = false; // one act at a time: a key pressed twice while the server writes is not two labels
let onwards = true; // a label moves on to the next row of the list

// ---- labelling ---------------------------------------------------------------------------------------------------
// Labels rows; `relabelling` is { label } or { change }, see askLabel.
const label = guarded(async (rows, decision, relabelling = {}) => {
  if (busyLabelling || !rows.length) return;
  busyLabelling = true;
  let answer;
  try {
    const { item } = page, note = rows.length === 1 && rows[0] === item?.row ? byId("note").value.trim() : "";
    answer = await busy(`Writing ${plural(rows.length, "label")}…`, () => ask("api/labels", { rows: [...rows], action: decision, note, ...relabelling }));
    for (const row of rows) userLabels.set(row, { decision, label: answer.labels[row] ?? "" });
    if (page.item && rows.includes(page.item.row) && page.item.info) { Object.assign(page.item.info, { decision, label: answer.labels[page.item.row] ?? "", note }); describe(); }
    showCounts(answer.counts);
  } finally { busyLabelling = false; }
  const names = new Set(Object.values(answer.labels)), text = decision === "relabel" ? `relabelled${names.size === 1 ? ` ${[...names][0]}` : ""}` : decision === "keep" ? "kept" : "rejected";
  say(`${rows.length === 1 ? `Row ${rows[0]}` : plural(rows.length, "row")} ${text}.`);
  markRows();
  mark();
  refreshSoon();
  if (rows.length === 1) moveOn(rows[0]);
});
// Asks for the label of rows; the dialog of an encoder of label sets shows what they have.
const relabel = guarded(async (rows, job) => {
  const counts = about.encoder.sets ? await ask("api/labels/shown", { rows: [...rows] }) : {};
  askLabel(rows.length === 1 ? `Relabel row ${amount(rows[0])}` : `Relabel ${plural(rows.length, "row")}`, rows.length, counts, job);
});
const givenText = ({ label: name, change }) => (name ? ` as ${name}` : `: ${changeText(change) || "no change"}`);
export function showCounts(counts) {
  const total = counts.keep + counts.reject + counts.relabel;
  state.labels = total;
  byId("label-counts").replaceChildren(...[["keep", "✓", "kept"], ["reject", "✕", "rejected"], ["relabel", "↻", "relabelled"]].map(([name, sign, word]) => {
    const part = element("span", { className: name, textContent: `${sign} ${amount(counts[name])} `, title: `${amount(counts[name])} ${word}` });
    part.setAttribute("aria-label", part.title);
    return part;
  }));
  byId("retrain").disabled = !total && !about.corrected;
  byId("retrain").title = total ? "Shows what would change, and asks" : "Label some rows first";
  if (total) byId("export").removeAttribute("aria-disabled");
  else byId("export").setAttribute("aria-disabled", "true");
}
byId("export").addEventListener("click", guarded(async (event) => {
  event.preventDefault();
  if (byId("export").getAttribute("aria-disabled")) { say("There are no labels to export yet."); return; }
  const query = await filterQuery("?");
  element("a", { href: `api/labels.csv${query}`, download: "labels.csv" }).click();
  say(query ? `Exported the labels of ${plural(page.visible, "row")} shown.` : "Exported all labels.");
}));
filtered.on(() => { byId("export").title = page.visible < count ? "The labels of the rows shown" : "All labels"; });

// ---- columns that depend on labels -------------------------------------------------------------------------------
let refreshTimer = 0;
export function refreshSoon() { // the columns "label" and "decision"
  clearTimeout(refreshTimer);
  state.following = "columns";
  refreshTimer = setTimeout(guarded(() => refresh(["label", "decision"])), REFRESH_MS);
}
export async function refresh(names) {
  await reload(names);
  if (!columns.has(page.colour)) page.colour = columns.has(about.colour) ? about.colour : [...columns.keys()][0];
  listColumns();
  if (!columns.get(page.colour).data) await recolour(page.colour);
  else legend();
  if ([...columns.values()].some(active)) await filter();
  delete state.following;
  listsChanged.emit();
}
// Fills userLabels from the columns; returns the number of rows of each decision.
export async function readLabels() {
  const counts = { keep: 0, reject: 0, relabel: 0 };
  userLabels.clear();
  if (!columns.has("decision")) return counts;
  const [decisions, names] = await Promise.all(["decision", "label"].map((name) => (columns.has(name) ? load(name) : null)));
  userLabels.clear();
  for (let row = 0; row < count; row++) {
    const decision = decisions.values[decisions.data[row]];
    if (!decision) continue;
    counts[decision]++;
    userLabels.set(row, { decision, label: decision === "relabel" ? names?.values[names.data[row]] ?? "" : "" });
  }
  return counts;
}
export const undo = guarded(async () => {
  if (busyLabelling) return;
  busyLabelling = true;
  let answer;
  try {
    answer = await ask("api/undo", {});
    if (!answer.rows.length) { trouble("There is nothing left to undo."); return; }
    clearTimeout(refreshTimer);
    await refresh(["label", "decision"]);
    await readLabels();
    listColumns();
    showCounts(answer.counts);
  } finally { busyLabelling = false; }
  const [row] = answer.rows;
  markRows();
  mark();
  say(answer.rows.length === 1 ? `Label of row ${row} undone.` : `${plural(answer.rows.length, "label")} undone.`);
  if (answer.rows.length === 1 && row !== page.selected) await select(row, { pan: true });
  else await refreshInfo({ signal: latest("info") });
});

// ---- through a list ----------------------------------------------------------------------------------------------
function setOnwards(on) {
  onwards = on;
  for (const other of document.querySelectorAll(".onwards")) other.checked = on;
}
export function onwardsBox() {
  const box = element("input", { type: "checkbox", className: "onwards", checked: onwards });
  box.addEventListener("change", () => setOnwards(box.checked));
  return box;
}
function moveOn(row) { // to the next row of the open list that has no label
  const rows = page.table || page.tab === "hits" || page.tab === "chosen" ? shownOf(listedRows()) : [], at = rows.indexOf(row);
  if (!onwards || at < 0) return;
  for (let n = 1; n < rows.length; n++) {
    const next = rows[(at + n) % rows.length];
    if (!userLabels.has(next)) { select(next, { pan: true, play: true, speak: true }); return; }
  }
  say("All rows of this list are labelled.");
}
export function step(by) { // to the next or previous row of the open list, labelled or not
  const rows = shownOf(listedRows());
  if (!rows.length) return;
  const at = rows.indexOf(page.selected), to = at < 0 ? 0 : (at + by + rows.length) % rows.length;
  select(rows[to], { pan: true, speak: true, play: true });
}

// ---- one row, many rows ------------------------------------------------------------------------------------------
export function labelOne(decision) {
  const row = page.item?.row ?? -1;
  if (row < 0) trouble("Select a row first.");
  else if (decision === "relabel") relabel([row], (relabelling) => label([row], "relabel", relabelling));
  else label([row], decision);
}
export function labelMany(decision) { // the rows of the lasso that are shown
  const rows = shownOf(page.lasso.rows), many = page.lasso.rows.length;
  if (!many) { trouble("Draw a lasso first: Shift-drag on the map."); return; }
  if (!rows.length) { trouble(`${amount(many)} selected, 0 shown: the filters hide them, so nothing was labelled. Show them first.`); return; }
  if (rows.length > MOST_LABELLED) { trouble(`${amount(rows.length)} rows are selected; at most ${amount(MOST_LABELLED)} are labelled at once. Filter, or draw a smaller lasso.`); return; }
  const act = async (relabelling) => {
    const text = `${decision === "relabel" ? "Relabel" : decision === "keep" ? "Keep" : "Reject"} ${plural(rows.length, "row")}${rows.length < many ? ` (${amount(many)} selected)` : ""}${relabelling ? givenText(relabelling) : ""}?\nOne undo reverts all of them.`;
    if (rows.length <= CONFIRMED || await confirmed(text, "Yes, all of them")) label(rows, decision, relabelling);
  };
  if (decision === "relabel") relabel(rows, act);
  else act();
}
for (const decision of ["keep", "reject", "relabel"]) byId(decision).addEventListener("click", () => labelOne(decision));
byId("undo").addEventListener("click", undo);
document.querySelectorAll(".onwards").forEach((box) => box.addEventListener("change", () => setOnwards(box.checked)));
