// The recordings of the report, their faults and places, and what the filter lets through.
import { byId, read, signal, state, theme, token } from "../../core/html/base.js";
import { amount, plural } from "../../pages/shared/counts.js";
import { faultLook } from "../../pages/shared/marks.js";

export const data = read("data");
export const faults = data.faults.map((fault, n) => ({ ...fault, n }));
// A place: { file, start, stop in seconds, fault, severity, value, sound, from: where its sound begins, rank in its file }.
export const files = data.files.map((file, n) => ({ ...file, n,
  places: file.places.map(([start, stop, fault, severity, value, sound, from, rank]) => ({ file: n, start, stop, fault, severity, value, sound, from, rank })) }));
export const moments = data.moments.map(([file, rank]) => files[file].places.find((place) => place.rank === rank)).filter(Boolean);

export const lookOf = (fault) => (faults[fault].measured ? { fill: token("--text"), shape: "diamond" } : faultLook(faults[fault].place ?? undefined));
export const severityText = (severity) => (severity === null ? "unknown" : severity.toFixed(2));
export const neutral = () => theme().neutral;
export function clock(seconds) {
  const tenths = Math.round(seconds * 10), whole = Math.floor(tenths / 10), two = (n) => String(n).padStart(2, "0");
  const h = Math.floor(whole / 3600), m = Math.floor(whole / 60) % 60;
  return `${h ? `${h}:${two(m)}` : m}:${two(whole % 60)}.${tenths % 10}`;
}

// ---- filter ------------------------------------------------------------------------------------------------------
export const filter = { faults: new Set(), severity: 0, text: "" };
export const filtered = signal();
// Measured findings and labels of unknown severity pass while no severity is asked for.
const severe = (severity) => filter.severity === 0 || (severity !== null && severity >= filter.severity);
export const laneShown = ([fault]) => !filter.faults.size || filter.faults.has(fault);
export const placeShown = (place) => (!filter.faults.size || filter.faults.has(place.fault)) && severe(place.severity);
export const spanShown = ([, , severity]) => severe(severity);
export const isFiltered = () => filter.faults.size > 0 || filter.severity > 0 || filter.text !== "";
export function fileShown(file) {
  if (filter.text && !file.name.toLowerCase().includes(filter.text)) return false;
  return (!filter.faults.size && filter.severity === 0) || file.lanes.some((lane) => laneShown(lane) && severe(lane[2]));
}
export function changeFilter(change) {
  Object.assign(filter, change);
  byId("severity").value = filter.severity;
  byId("least").textContent = filter.severity.toFixed(2);
  const shown = files.filter(fileShown).length;
  byId("shown").textContent = isFiltered() ? `${amount(shown)} of ${plural(files.length, "recording")}` : plural(files.length, "recording");
  byId("all").hidden = !isFiltered();
  byId("nothing").hidden = shown > 0;
  state.shown = shown;
  filtered.emit();
}
