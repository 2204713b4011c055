// The finding under the pointer, the selected one, and what is said of it.
import { byId, signal, state } from "../../core/html/base.js";
import { soundOf } from "./sounds.js";
import { channelOf, clock, confidenceOf, rate, secondsOf, segments, severityOf, show, view } from "./view.js";

export const choice = { hovered: -1, selected: -1 }; // places in segments
export const choiceChanged = signal();

export const say = (text) => { byId("said").textContent = text; }; // shown, and read out by screen readers

export function hover(n) {
  if (choice.hovered === n) return;
  choice.hovered = n;
  choiceChanged.emit(false);
}
// Selects a finding; -1 for none. With move, the view goes to it.
export function select(n, move = false) {
  choice.selected = n;
  state.selected = n;
  if (n >= 0 && move) {
    const s = segments[n], length = s.stop - s.start, middle = (s.start + s.stop) / 2;
    const width = Math.min(Math.max(view.stop - view.start, 2 * length), Math.max(30 * length, 20 * rate));
    show(middle - width / 2, middle + width / 2);
  }
  say(n < 0 ? "" : described(n));
  choiceChanged.emit(true);
}
// The next (step 1) or previous (step -1) finding; from no selection, the first one in view.
export function selectNext(step) {
  if (!segments.length) return;
  const first = segments.findIndex((s) => s.stop > view.start && s.start < view.stop);
  const next = choice.selected < 0 ? Math.max(0, first) : choice.selected + step;
  select(Math.min(Math.max(next, 0), segments.length - 1), true);
}
function described(n) {
  const s = segments[n];
  const facts = s.value === null ? `severity ${severityOf(s)}, confidence ${confidenceOf(s)}` : `measured: ${s.value}`;
  const channel = s.channel === null ? "" : `, channel ${channelOf(s)}`;
  const sound = soundOf(n) ? "" : "; no sound in this page";
  return `Finding ${n + 1} of ${segments.length}: ${s.label} at ${clock(s.start)}, ${secondsOf(s)}, ${facts}${channel}${sound}`;
}
