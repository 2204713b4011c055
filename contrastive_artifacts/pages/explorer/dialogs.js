// The dialogs: a question, and the choice of a label: one name or, with an encoder of label sets, a change of a set of names.
import { byId, element } from "../../core/html/base.js";
import { amount } from "../shared/counts.js";
import { about } from "./page.js";

// Asks a question; the answer is true for `yes`.
export function confirmed(text, yes) {
  const dialog = byId("question");
  byId("question-text").textContent = text;
  byId("yes").textContent = yes;
  return new Promise((resolve) => {
    const end = (answer) => () => { dialog.onclose = null; if (dialog.open) dialog.close(); resolve(answer); };
    byId("yes").onclick = end(true);
    byId("no").onclick = dialog.onclose = end(false);
    dialog.showModal();
    byId("yes").focus();
  });
}

// ---- the choice of a label ---------------------------------------------------------------------------------------
const NAME = /^[a-z0-9_]{1,40}$/;
const { sets } = about.encoder; // rows have several names
let options = [], option = -1; // names that match the typed text, and the marked one
let whenChosen = null;
let present = new Map(), many = 0; // name -> number of the rows that have it; number of rows
const added = new Set(), removed = new Set(); // for all rows
const typedText = () => byId("new-label").value.trim().toLowerCase();
const left = () => [...new Set([...present.keys(), ...added])].filter((name) => !removed.has(name));

// Asks for the label of some rows and calls `job` with { label }, a known or a new name, or, of sets, with { change: {
// add, remove } }. `counts` says how many of the rows have which name.
export function askLabel(title, rows, counts, job) {
  byId("relabel-title").textContent = title;
  byId("new-label").value = "";
  byId("names").hidden = !sets;
  byId("new-label").placeholder = sets ? "artifact to add" : "label";
  [whenChosen, many, present] = [job, rows, new Map(Object.entries(counts).filter(([name]) => name !== "clean"))];
  added.clear();
  removed.clear();
  listNames();
  if (!byId("relabel-dialog").open) byId("relabel-dialog").showModal();
  byId("new-label").focus();
}
// What a change of many labels does, in words; "" for none.
export function changeText(change = { add: [...added], remove: [...removed] }) {
  return [["add", change.add], ["take away", change.remove]].filter(([, names]) => names.length).map(([word, names]) => `${word} ${names.join(", ")}`).join(", ");
}
function listNames() { // a chip for each name; a click takes it away
  byId("names").replaceChildren(...left().map((name) => {
    const rows = added.has(name) ? many : present.get(name), some = rows < many ? ` (${amount(rows)} of ${amount(many)})` : "";
    const button = element("button", { type: "button", textContent: `${name}${some} ×`, title: `Take away ${name}` });
    button.addEventListener("click", () => { takeAway(name); byId("new-label").focus(); });
    return element("li", {}, button);
  }));
  listOptions();
}
function takeAway(name) {
  added.delete(name);
  if (present.has(name)) removed.add(name);
  listNames();
}
function add(name) { // "clean" takes all names away
  if (name === "clean") left().forEach(takeAway);
  else {
    removed.delete(name);
    if (present.get(name) !== many) added.add(name);
  }
  byId("new-label").value = "";
  listNames();
}
function listOptions() { // names that begin with the text come first, then those that contain it
  const typed = typedText(), known = sets ? about.labels.filter((name) => !left().includes(name) || (!added.has(name) && present.get(name) < many)) : about.labels;
  options = known.filter((name) => name.startsWith(typed)).concat(known.filter((name) => typed && !name.startsWith(typed) && name.includes(typed)));
  byId("options").replaceChildren(...options.map((name, n) => {
    const line = element("li", { textContent: name, id: `option-${n}` });
    line.setAttribute("role", "option");
    line.addEventListener("click", () => { if (sets) { add(name); byId("new-label").focus(); } else finish({ label: name }); });
    return line;
  }));
  markOption(typed && options.length ? 0 : -1);
}
function markOption(n) {
  option = n;
  [...byId("options").children].forEach((line, k) => line.setAttribute("aria-selected", String(k === n)));
  byId("options").children[n]?.scrollIntoView({ block: "nearest" });
  byId("new-label").setAttribute("aria-activedescendant", n >= 0 ? `option-${n}` : "");
  byId("relabel-hint").textContent = hint();
}
function hint() {
  const name = options[option] ?? typedText();
  if (!name) return sets ? `Enter: ${many === 1 ? `save as ${left().join(", ") || "clean"}` : changeText() || "save"}. Type a name to add it; Backspace takes the last one away.` : "Choose a label, or type a new one (a-z, 0-9, _).";
  if (!NAME.test(name)) return "A label is 1 to 40 of a-z, 0-9 and _.";
  if (sets) return `Enter: add ${options.includes(name) ? "" : "the new label "}${name}`;
  return options.includes(name) ? `Enter: relabel as ${name}` : `Enter: the new label ${name}`;
}
// The chosen name: the typed one if it is known, else the marked one, else the typed one; null if it is no name.
function chosenName() {
  const typed = typedText(), name = about.labels.includes(typed) ? typed : options[option] ?? typed;
  if (NAME.test(name)) return name;
  markOption(-1);
  byId("new-label").focus();
  return null;
}
function finish(answer) {
  const job = whenChosen;
  byId("relabel-dialog").close();
  job?.(answer);
}
byId("new-label").addEventListener("input", listOptions);
byId("new-label").addEventListener("keydown", (event) => {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key], pending = Boolean(typedText() || options[option]);
  if (by && options.length) { event.preventDefault(); markOption(Math.max(-1, Math.min(options.length - 1, option + by))); }
  else if (sets && event.key === "Backspace" && !event.repeat && !byId("new-label").value && left().length) takeAway(left().at(-1));
  else if (sets && event.key === "Enter" && pending) { // adds the name; another Enter saves
    event.preventDefault();
    const name = chosenName();
    if (name) add(name);
  }
});
byId("relabel-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = sets && !typedText() ? "" : chosenName();
  if (name === null) return;
  if (!sets) { finish({ label: name }); return; }
  if (name) add(name);
  finish({ change: { add: [...added], remove: [...removed] } });
});
byId("relabel-cancel").addEventListener("click", () => byId("relabel-dialog").close());
