// Keep, reject and undo. A page that is served stores each decision in the journal of its server, another one in the
// browser; the decisions in force are saved as files.
import { byId, element, signal, state } from "../../core/html/base.js";
import { ask, guarded } from "../../pages/shared/asking.js";
import { choice, say, select } from "./choice.js";
import { channelOf, clock, data, rate, segments, severityOf } from "./view.js";

const decisions = new Map(); // place in segments -> "keep" or "reject"
export const decisionChanged = signal(); // of a place in segments
export const decisionOf = (n) => decisions.get(n) ?? "";

// ---- storage -----------------------------------------------------------------------------------------------------
// Each act answers all acts in force, [place, decision], the oldest first; undo also the place whose decision it took back.
const NAME = `timeline ${data.id}`;
const browser = {
  acts: [],
  async all() {
    try { this.acts = JSON.parse(localStorage.getItem(NAME) ?? "[]").filter(([n]) => segments[n]); } catch { say("This browser keeps no decisions for files; save them as a file."); }
    return { decisions: this.acts };
  },
  async add(n, decision) { this.acts.push([n, decision]); return this.stored(n); },
  async undo() { return this.stored(this.acts.pop()?.[0] ?? -1); },
  stored(place) {
    try { localStorage.setItem(NAME, JSON.stringify(this.acts)); } catch { say("This browser stores nothing for this page; save the decisions as a file."); }
    return { decisions: this.acts, place };
  },
};
const server = {
  all: () => ask("api/decisions"),
  add: (finding, decision) => ask("api/decisions", { finding, decision }),
  undo: () => ask("api/undo", {}),
};
const store = data.served ? server : browser;

function adopt(acts) {
  const before = new Map(decisions);
  decisions.clear();
  for (const [n, decision] of acts) decisions.set(n, decision);
  report();
  for (const n of new Set([...before.keys(), ...decisions.keys()])) if (before.get(n) !== decisions.get(n)) decisionChanged.emit(n);
}
let last = Promise.resolve(); // one act at a time, in the order of the keys
const inTurn = (job) => { last = last.then(guarded(job)); };
export const readDecisions = () => inTurn(async () => adopt((await store.all()).decisions));

// Decides on the selected finding.
export function decide(decision) {
  const n = choice.selected;
  if (n < 0) say("Select a finding first: J, or a click on it.");
  else inTurn(async () => adopt((await store.add(n, decision)).decisions));
}
export const undo = () => inTurn(async () => {
  const { decisions: acts, place } = await store.undo();
  adopt(acts);
  if (place < 0) { say("There is nothing left to undo."); return; }
  select(place, true);
  say(`Decision undone. ${byId("said").textContent}`);
});
export function report() {
  const all = [...decisions.values()], count = (name) => all.filter((decision) => decision === name).length;
  Object.assign(state, { kept: count("keep"), rejected: count("reject") });
  byId("decided").textContent = `${all.length} of ${segments.length} decided: ${count("keep")} kept, ${count("reject")} rejected`;
  const n = choice.selected;
  for (const name of ["keep", "reject"]) {
    byId(name).disabled = n < 0;
    byId(name).setAttribute("aria-pressed", String(n >= 0 && decisionOf(n) === name));
  }
  byId("undo").disabled = !all.length;
}

// ---- files -------------------------------------------------------------------------------------------------------
// One line of Audacity for each finding that is not rejected, as `scan` writes them.
export function audacity() {
  return segments.filter((_, n) => decisionOf(n) !== "reject").map((s) => {
    const channel = s.channel === null ? "" : `, channel ${channelOf(s)}`;
    const facts = s.value === null ? `severity ${severityOf(s)}, confidence ${s.confidence.toFixed(2)}` : `measured: ${s.value}`;
    return `${(s.start / rate).toFixed(6)}\t${(s.stop / rate).toFixed(6)}\t${s.label} (${facts}${channel})\n`;
  }).join("");
}
export function json() {
  const rows = segments.map((s, n) => ({ start: s.start, stop: s.stop, start_time: clock(s.start, 3), label: s.label, severity: s.severity,
    confidence: s.confidence, channel: s.channel, value: s.value, decision: decisionOf(n) || null }));
  return `${JSON.stringify({ recording: data.name, sample_rate: rate, findings: rows }, null, 1)}\n`;
}
function save(text, name, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
  say(`${name} is saved where this browser keeps downloads.`);
}
byId("labels").addEventListener("click", () => save(audacity(), `${data.name}.labels.txt`, "text/plain"));
byId("decisions").addEventListener("click", () => save(json(), `${data.name}.decisions.json`, "application/json"));
byId("keep").addEventListener("click", () => decide("keep"));
byId("reject").addEventListener("click", () => decide("reject"));
byId("undo").addEventListener("click", undo);
