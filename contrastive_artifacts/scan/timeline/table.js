// The table of all findings; it follows the selection.
import { byId, element } from "../../core/html/base.js";
import { marker } from "../../pages/shared/marks.js";
import { soundChanged } from "../../pages/shared/player.js";
import { choice, choiceChanged, select } from "./choice.js";
import { decisionChanged, decisionOf } from "./decisions.js";
import { play, playing } from "./playing.js";
import { soundOf } from "./sounds.js";
import { channelOf, clock, confidenceOf, lookOf, secondsOf, segments, severityOf } from "./view.js";

const PAGE = 500; // rows that are added at once
const rows = byId("rows"), list = byId("list");
export const hasChannels = segments.some((s) => s.channel !== null);

export function fillTable(upTo) {
  const from = rows.children.length;
  rows.append(...segments.slice(from, upTo).map((s, k) => row(s, from + k)));
  const hidden = segments.length - rows.children.length;
  byId("more").hidden = hidden <= 0;
  byId("more").textContent = `Show ${Math.min(hidden, PAGE).toLocaleString("en")} more of ${hidden.toLocaleString("en")}`;
}
function row(s, n) {
  const cell = (...content) => element("td", {}, ...content);
  const start = element("button", { type: "button", textContent: clock(s.start), ariaLabel: `Play ${s.label} at ${clock(s.start)}` });
  const cells = [cell(start), cell(clock(s.stop)), cell(secondsOf(s)), cell(marker(lookOf(s.label)), s.label),
    cell(s.value === null ? severityOf(s) : "measured"), cell(s.value ?? confidenceOf(s))];
  if (hasChannels) cells.push(cell(channelOf(s)));
  if (s.timecode) cells.push(cell(s.timecode.join(" – ")));
  const node = element("tr", {}, ...cells, cell(decisionOf(n)));
  node.addEventListener("click", () => { select(n, true); play(n); });
  node.className = [soundOf(n) ? "" : "silent", decisionOf(n)].join(" ").trim();
  return node;
}
export const recolourTable = () => segments.slice(0, rows.children.length).forEach((s, n) => rows.children[n].querySelector("svg").replaceWith(marker(lookOf(s.label))));

let selectedRow = null, playingRow = null;
choiceChanged.on((isSelection) => {
  if (!isSelection) return;
  selectedRow?.classList.remove("selected");
  const n = choice.selected;
  if (n >= rows.children.length) fillTable((Math.floor(n / PAGE) + 1) * PAGE);
  selectedRow = rows.children[n] ?? null;
  if (!selectedRow) return;
  selectedRow.classList.add("selected");
  // Within the list only: the page stays, so that the lanes remain in view.
  const above = selectedRow.offsetTop - 30, below = selectedRow.offsetTop + selectedRow.offsetHeight - list.clientHeight;
  if (list.scrollTop > above) list.scrollTop = above;
  else if (list.scrollTop < below) list.scrollTop = below;
});
soundChanged.on(() => {
  playingRow?.classList.remove("playing");
  playingRow = rows.children[playing()] ?? null;
  playingRow?.classList.add("playing");
});
decisionChanged.on((n) => {
  const node = rows.children[n];
  if (!node) return;
  node.lastChild.textContent = decisionOf(n);
  node.classList.remove("keep", "reject");
  if (decisionOf(n)) node.classList.add(decisionOf(n));
});
byId("more").addEventListener("click", () => fillTable(rows.children.length + PAGE));
