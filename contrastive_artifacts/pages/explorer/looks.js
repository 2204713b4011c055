// How markers look: places in a palette by row, and the fill and shape of each place.
import { ramp, theme } from "../../core/html/base.js";
import { faultLook } from "../shared/marks.js";
import { OTHERS, STYLES, columns, namesOf, slots } from "./columns.js";
import { about, count, page } from "./page.js";

export const STEPS = 64; // of the ramp of a number; the place behind them is for missing numbers
export const styles = new Uint8Array(count).fill(OTHERS); // place in the palette, by row

const neutral = () => ({ fill: theme().neutral, shape: "circle", beneath: true }); // drawn small, beneath the others

export function lookOf(place) {
  if (columns.get(page.colour)?.kind === "number") return place < STEPS ? { fill: ramp(place / (STEPS - 1)), shape: "circle" } : neutral();
  return place >= STYLES ? neutral() : faultLook(place);
}
// The look of a label in a list, that of the first of its names in the legend; independent of the column that colours the map.
export function labelLook(label) {
  const styled = namesOf(label).filter((name) => slots.has(name)).sort((a, b) => about.labels.indexOf(a) - about.labels.indexOf(b));
  return styled.length ? faultLook(slots.get(styled[0])) : neutral();
}
