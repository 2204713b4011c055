// Keep and reject: remembered by the browser for this page, and saved as files.
import { byId, element, signal, state } from "../../core/html/base.js";
import { choice, say } from "./choice.js";
import { channelOf, clock, data, rate, segments, severityOf } from "./view.js";

const STORE = `timeline ${data.id}`;
const decisions = new Map(); // place in segments -> "keep" or "reject"
export const decisionChanged = signal(); // of a place in segments
export const decisionOf = (n) => decisions.get(n) ?? "";

try {
  for (const [n, decision] of JSON.parse(localStorage.getItem(STORE) ?? "[]")) if (segments[n]) decisions.set(n, decision);
} catch { byId("decided").textContent = "This browser keeps no decisions for files."; }

// Decides on the selected finding; the same decision again, or "", takes it back.
export function decide(decision) {
  const n = choice.selected;
  if (n < 0) { say("Select a finding first: J, or a click on it."); return; }
  if (!decision || decisionOf(n) === decision) decisions.delete(n);
  else decisions.set(n, decision);
  try { localStorage.setItem(STORE, JSON.stringify([...decisions])); } catch { say("This browser stores nothing for this page; save the decisions as a file."); }
  report();
  decisionChanged.emit(n);
}
export function report() {
  const all = [...decisions.values()], count = (name) => all.filter((decision) => decision === name).length;
  Object.assign(state, { kept: count("keep"), rejected: count("reject") });
  byId("decided").textContent = `${all.length} of ${segments.length} decided: ${count("keep")} kept, ${count("reject")} rejected`;
  const n = choice.selected;
  for (const name of ["keep", "reject"]) {
    byId(name).disabled = n < 0;
    byId(name).setAttribute("aria-pressed", String(n >= 0 && decisionOf(n) === name));
  }
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
