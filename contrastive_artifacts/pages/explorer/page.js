// The state of the page. Rows are numbered as the server numbers them; -1 stands for none. Body data attributes (drawn,
// visible, selected, hovered, playing, version, lasso, hits, labels, following, query, colour, error ...) say what the
// canvases show, for tests and assistive scripts.
import { read, signal } from "../../core/html/base.js";

export const about = read("about"); // what GET api/about answers
export const count = about.count; // of rows
export const MANY_HITS = 12; // hits of a search

export const page = {
  selected: -1, hovered: -1, // rows
  item: null, // what the panel shows: a row or a query; see panel.js
  colour: "", // name of the column that colours the map
  words: [], // of the text filter
  visible: count, // rows that pass the filters
  edition: 0, // counts changes of the columns on the server, so that no stale copy is taken from a cache
  table: null, // rows of the table in its order, Uint32Array; null while it is closed
  tab: "similar", // the open list
  similar: [], // hits for the selected row
  hits: { rows: [], heading: "", query: null }, // of the last search
  stars: [], // queries on the map: { x, y, id }
  hoverPlays: false, // rows under the pointer are played
  lassoing: false, // the lasso tool is on
  outline: [], // the lasso being drawn, in pixels
  lasso: { rows: new Uint32Array(0), outlines: [] }, // rows inside finished lassos, and those on the map
};
export const listsChanged = signal(); // the selection, the hits or the labels
// Row -> { decision, label }: user labels, as the server has stored them.
export const userLabels = new Map();
// What stays from row to row.
// high: highest frequency shown, null for all; range: lowest and highest level in dBFS that have a colour of their own.
export const playback = { version: "damaged", channel: "all", pad: 0, high: null, log: false, range: [-100, 0], loop: false };

const rowsOf = (list) => list.map(({ row }) => row);
// Rows of the table or else of the open list, in order; of the similar ones while the facts are open.
export function listedRows() {
  if (page.table) return page.table;
  if (page.tab === "chosen") return page.lasso.rows;
  return rowsOf(page.tab === "hits" ? page.hits.rows : page.similar);
}
// Rows with a numbered ring on the map.
export const ringed = () => (page.tab === "hits" || page.tab === "similar" ? rowsOf(page[page.tab].rows ?? page[page.tab]) : []);
