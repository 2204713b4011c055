// The dialogs: a question, and the choice of a label.
import { byId, element } from "../../core/html/base.js";
import { about } from "./page.js";

// Asks a question; the answer is true for `yes`. With an element as `more`, it is shown and there is no other answer.
export function confirmed(text, yes, more = null) {
  const dialog = byId("question");
  byId("question-text").textContent = text;
  byId("question-more").replaceChildren(...(more ? [more] : []));
  byId("yes").textContent = yes;
  byId("no").hidden = Boolean(more);
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
let options = [], option = -1; // labels that match the typed text, and the marked one
let whenChosen = null;
const typedText = () => byId("new-label").value.trim().toLowerCase();

// Asks for a label, one of the known or a new one, and calls `job` with it.
export function askLabel(title, job) {
  byId("relabel-title").textContent = title;
  byId("new-label").value = "";
  whenChosen = job;
  listOptions();
  byId("relabel-dialog").showModal();
  byId("new-label").focus();
}
function listOptions() { // labels that begin with the text come first, then those that contain it
  const typed = typedText();
  options = about.labels.filter((name) => name.startsWith(typed)).concat(about.labels.filter((name) => typed && !name.startsWith(typed) && name.includes(typed)));
  option = typed && options.length ? 0 : -1;
  byId("options").replaceChildren(...options.map((name, n) => {
    const line = element("li", { textContent: name, id: `option-${n}` });
    line.setAttribute("role", "option");
    line.addEventListener("click", () => { byId("new-label").value = name; option = n; finish(); });
    return line;
  }));
  markOption(option);
}
function markOption(n) {
  option = n;
  [...byId("options").children].forEach((line, k) => line.setAttribute("aria-selected", String(k === n)));
  byId("options").children[n]?.scrollIntoView({ block: "nearest" });
  byId("new-label").setAttribute("aria-activedescendant", n >= 0 ? `option-${n}` : "");
  const name = options[n] ?? typedText();
  byId("relabel-hint").textContent = !name ? "Choose a label, or type a new one (a-z, 0-9, _)." : !NAME.test(name) ? "A label is 1 to 40 of a-z, 0-9 and _." : options.includes(name) ? `Enter: relabel as ${name}` : `Enter: the new label ${name}`;
}
function finish() {
  const typed = typedText(), name = about.labels.includes(typed) ? typed : options[option] ?? typed;
  if (!NAME.test(name)) { markOption(-1); byId("new-label").focus(); return; }
  const job = whenChosen;
  byId("relabel-dialog").close();
  job?.(name);
}
byId("new-label").addEventListener("input", listOptions);
byId("new-label").addEventListener("keydown", (event) => {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by && options.length) { event.preventDefault(); markOption(Math.max(-1, Math.min(options.length - 1, option + by))); }
});
byId("relabel-form").addEventListener("submit", (event) => { event.preventDefault(); finish(); });
byId("relabel-cancel").addEventListener("click", () => byId("relabel-dialog").close());
