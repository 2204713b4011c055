// The keys that several pages have: each means the same on all of them. A page adds keys of its own.
import { element } from "../../core/html/base.js";

// Name -> [key, how a list of keys shows it, what it does].
const SHARED = {
  play: [" ", "Space", "play, stop"], next: ["j", "J", "next"], previous: ["k", "K", "previous"],
  keep: ["y", "Y", "keep"], reject: ["x", "X", "reject"], relabel: ["l", "L", "relabel"], undo: ["u", "U", "undo the last decision"],
  note: ["n", "N", "note"], earlier: [",", ",", "earlier part"], later: [".", ".", "later part"],
  scale: ["f", "F", "frequency up to 1 kHz, or all"], help: ["?", "?", "this list"],
};
// Name -> act, as key -> act.
export const bound = (acts) => Object.fromEntries(Object.entries(acts).map(([name, act]) => [SHARED[name][0], act]));
// A row of the list of keys: [how it is shown, what it does], in other words if the page has them.
export const keyRow = (name, text = SHARED[name][2]) => [SHARED[name][1], text];

// The key of an event: a letter is upper case with Shift only, whatever Caps Lock says.
export const keyOf = ({ key, shiftKey }) => (key.length > 1 ? key : shiftKey ? key.toUpperCase() : key.toLowerCase());
// Whether a page should leave the key to a dialog, or to the browser.
export const isTaken = (event) => event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]") !== null;

// A list of rows [keys, what they do]; the result opens it.
export function keySheet(rows) {
  const close = element("button", { type: "button", className: "main", textContent: "Close" });
  const list = element("dl", {}, ...rows.map(([key, text]) => element("div", {}, element("dt", {}, element("kbd", { textContent: key })), element("dd", { textContent: text }))));
  const sheet = element("dialog", { id: "sheet", ariaLabel: "Keys" }, element("h2", { textContent: "Keys" }), list, close);
  close.addEventListener("click", () => sheet.close());
  document.body.append(sheet);
  return () => sheet.showModal();
}
