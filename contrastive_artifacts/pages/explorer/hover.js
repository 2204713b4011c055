// Play on hover, and what every play button says.
import { byId } from "../../core/html/base.js";
import { abort, guarded, latest, say, trouble } from "../shared/asking.js";
import { player, soundChanged } from "../shared/player.js";
import { mark } from "./frames.js";
import { page } from "./page.js";
import { rowSound } from "./playlist.js";

const HOVER_MS = 90; // a pointer that only crosses the map should not start every row on its way
let timer = 0;

export function playHovered(row) { // what the pointer rests on is played, if that is turned on; -1 for nothing
  if (!page.hoverPlays) return;
  clearTimeout(timer);
  if (row < 0) {
    abort("hover");
    player.stop(page.item?.key ?? null);
    return;
  }
  const abortSignal = latest("hover"), { turn } = player;
  timer = setTimeout(() => (turn === player.turn) && player.play(rowSound(row), String(row), { abortSignal }).catch((error) => { if (error.name !== "AbortError") trouble(error.message); }), HOVER_MS);
}
export function toggleHover(on = !page.hoverPlays) {
  page.hoverPlays = on;
  byId("hover-play").setAttribute("aria-pressed", String(on));
  clearTimeout(timer);
  if (on) guarded(() => player.ready())();
  else player.stop();
  say(on ? "Play on hover is on." : "Play on hover is off.");
}
byId("hover-play").addEventListener("click", () => toggleHover());

export function markButtons() {
  byId("play").textContent = page.item && player.voice && player.key === page.item.key ? "Stop" : "Play";
  for (const button of document.querySelectorAll(".rows .sound")) {
    const on = button.dataset.key === player.key;
    button.textContent = on ? "■" : "▶";
    button.setAttribute("aria-pressed", String(on));
  }
}
soundChanged.on(() => { markButtons(); mark(); });
