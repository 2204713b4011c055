// Rows that are played one after the other, each once the one before has ended; any other sound or a stop ends the series.
import { state } from "../../core/html/base.js";
import { guarded } from "../shared/asking.js";
import { player, soundChanged } from "../shared/player.js";
import { served } from "../shared/served.js";

let rest = []; // rows that follow
let turn = -1; // of the player, while the series goes on: every stop and every other sound counts it up

export const rowSound = (row) => served(`api/rows/${row}/audio?version=damaged&pad=0`);

const playNext = guarded(async () => {
  const [row] = rest;
  rest = rest.slice(1);
  state.queued = rest.length;
  const playing = player.play(rowSound(row), String(row));
  ({ turn } = player);
  await playing;
});
export function playSeries(rows) {
  rest = [...rows];
  if (rest.length) playNext();
}
soundChanged.on(() => {
  if (player.voice || player.turn !== turn) return;
  if (rest.length) playNext();
  else turn = -1;
});
