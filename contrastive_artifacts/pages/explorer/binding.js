// What acts on rows, and what is asked of the server, is bound to the rows that the filters show.
import { ask } from "../shared/asking.js";
import { filtered, shown } from "./filter.js";
import { count, page } from "./page.js";

let sent = null; // the number that the server gave to the present filter, as a promise
filtered.on(() => { sent = null; });

// Those of some rows that are shown.
export const shownOf = (rows) => (page.visible === count ? rows : rows.filter((row) => shown[row]));
// How many of `many` rows are shown, in words: "103 selected, 0 shown".
export const shownText = (many, visible) => (visible < many ? `, ${visible.toLocaleString("en")} shown` : "");

// The filter in the query of an address, after `sign`; "" where all rows are shown.
export async function filterQuery(sign = "&") {
  const number = await filterNumber();
  return number === null ? "" : `${sign}filter=${number}`;
}
export async function filterNumber() {
  if (page.visible === count) return null;
  if (!sent) {
    const bits = new Uint8Array(Math.ceil(count / 8));
    for (let row = 0; row < count; row++) if (shown[row]) bits[row >> 3] |= 1 << (row & 7);
    sent = ask("api/filters", bits, { headers: { "Content-Type": "application/octet-stream" } }).then(({ filter }) => filter);
    sent.catch(() => { sent = null; });
  }
  return sent;
}
