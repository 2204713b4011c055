// How markers look: places in a palette by row, and the fill and shape of each place.
import { SHAPES, ramp, theme } from "../../core/html/base.js";
import { OTHERS, STYLES, columns, namesOf, slots } from "./columns.js";
import { count, page } from "./page.js";

export const STEPS = 64; // of the ramp of a number; the place behind them is for missing numbers
export const styles = new Uint8Array(count).fill(OTHERS); // place in the palette, by row

const styled = (place) => {
  const colours = theme();
  return { fill: colours.categories[place % colours.categories.length], shape: SHAPES[place % SHAPES.length] };
};
const neutral = () => ({ fill: theme().neutral, shape: "circle" });

export function lookOf(place) {
  if (columns.get(page.colour)?.kind === "number") return place < STEPS ? { fill: ramp(place / (STEPS - 1)), shape: "circle" } : neutral();
  return place >= STYLES ? neutral() : styled(place);
}
// The look of a label in a list, that of the first of its names in the legend; independent of the column that colours the map.
export function labelLook(label) {
  const place = Math.min(...namesOf(label).map((name) => slots.get(name) ?? STYLES));
  return place >= STYLES || slots.size > STYLES ? neutral() : styled(place);
}
