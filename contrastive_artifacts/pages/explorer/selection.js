// The rows inside the lasso: labelling them, searching by them, and what they consist of.
import { byId, element, state } from "../../core/html/base.js";
import { guarded, say } from "../shared/asking.js";
import { amount, plural } from "../shared/counts.js";
import { shownOf, shownText } from "./binding.js";
import { columns, countNames, load } from "./columns.js";
import { filtered, shown } from "./filter.js";
import { mark } from "./frames.js";
import { labelMany, onwardsBox } from "./labels.js";
import { bars } from "./lists.js";
import { count, listsChanged, page, userLabels } from "./page.js";
import { openTab, select } from "./panel.js";
import { searchRows } from "./search.js";

const NONE = new Uint32Array(0);
const TOP = 5; // values of a column that are listed
const sets = { like: NONE, unlike: NONE }; // marked for a search

export function choose(rows, outlines = []) {
  Object.assign(page.lasso, { rows, outlines });
  state.lasso = rows.length;
  mark();
  showSelection();
  listsChanged.emit();
  if (rows.length) { openTab("chosen"); say(`${plural(rows.length, "row")} selected.`); }
}
export const clear = () => choose(NONE);

export function showSelection() {
  const many = page.lasso.rows.length, rows = shownOf(page.lasso.rows), none = !rows.length; // acts apply to what is shown
  state.lassoShown = rows.length;
  byId("tab-chosen").textContent = many ? `Selection ${rows.length < many ? `${amount(rows.length)} of ` : ""}${amount(many)}` : "Selection";
  const parts = [];
  if (!many) parts.push(element("p", { className: "empty", textContent: "Draw a lasso on the map (Shift-drag, or G and drag), or select all rows that pass the filters:" }), line(button("Select all shown", selectShown, !page.visible)));
  else {
    parts.push(line(element("b", { id: "selected-text", textContent: `${amount(many)} selected${shownText(many, rows.length)}` }), element("span", { className: "gap" }), button("Play one at random", playRandom, none), button("Clear", clear)),
      line(button("Keep all", () => labelMany("keep"), none), button("Reject all", () => labelMany("reject"), none), button("Relabel all…", () => labelMany("relabel"), none)),
      line(button("Search like these", () => searchRows(rows, []), none), button("Mark as like", () => { sets.like = rows; showSelection(); }, none), button("Mark as unlike", () => { sets.unlike = rows; showSelection(); }, none)));
  }
  if (sets.like.length || sets.unlike.length) {
    parts.push(line(element("span", { className: "soft", textContent: `like ${amount(sets.like.length)} − unlike ${amount(sets.unlike.length)}` }),
      button("Search", () => searchRows(sets.like, sets.unlike), !sets.like.length, sets.like.length ? "" : "Mark a set as like first"),
      button("Clear both sets", () => { sets.like = sets.unlike = NONE; showSelection(); })));
  }
  if (!none) {
    const mixture = element("div", { className: "mixture" });
    parts.push(mixture, line(element("label", {}, onwardsBox(), "after a label, play the next row without one")));
    fillMixture(mixture, rows);
  }
  byId("chosen").replaceChildren(...parts);
}
const line = (...children) => element("div", { className: "line wrap" }, ...children);
function button(text, job, disabled = false, title = "") {
  const node = element("button", { type: "button", textContent: text, disabled, title });
  node.addEventListener("click", job);
  return node;
}
function selectShown() {
  const rows = new Uint32Array(page.visible);
  let n = 0;
  for (let i = 0; i < count; i++) if (shown[i]) rows[n++] = i;
  choose(rows);
}
function playRandom() {
  const rows = shownOf(page.lasso.rows);
  select(rows[Math.floor(Math.random() * rows.length)], { play: true, pan: true, speak: true });
}
const shareText = (share) => (share < 0.005 ? "< 1 %" : `${Math.round(100 * share)} %`);
// The most frequent values of some columns among the rows.
const fillMixture = guarded(async (into, rows) => {
  const names = ["artifact", "present", "heard", "label", "source"].filter((name) => columns.get(name)?.kind === "category" && (name !== "label" || userLabels.size));
  const shares = (await Promise.all(names.map(load))).map((column) => {
    const { name, names: known } = column, counts = countNames(column, rows);
    const ranked = known.map((_, place) => place).filter((place) => counts[place]).sort((a, b) => counts[b] - counts[a]);
    const listed = ranked.slice(0, TOP).map((place) => [known[place] || "(none)", counts[place], shareText(counts[place] / rows.length)]);
    return bars(ranked.length > TOP ? `${name}, ${TOP} of ${amount(ranked.length)}` : name, listed, rows.length);
  });
  if (into.isConnected) into.replaceChildren(...shares);
});
filtered.on(showSelection);
