// The picture of a film beside its timeline, where the page is served: it follows the sound, and shows where the selected
// finding begins.
import { byId, state } from "../../core/html/base.js";
import { player } from "../../pages/shared/player.js";
import { choice, choiceChanged, say } from "./choice.js";
import { headMoved } from "./playing.js";
import { data, rate, segments } from "./view.js";

const DRIFT_S = 0.15; // that picture and sound may lie apart
const film = byId("film");

function seek(seconds) {
  film.currentTime = seconds;
  state.film = seconds.toFixed(2);
}
function follow(sample) {
  if (sample === null) { film.pause(); return; }
  const seconds = sample / rate;
  if (!film.seeking && Math.abs(film.currentTime - seconds) > DRIFT_S) seek(seconds);
  film.playbackRate = player.speed;
  if (film.paused) film.play().catch(() => {}); // what is wrong with it comes as an error of the element
}
function without(reason) { // a sound file in the container of a film, or a format that this browser does not show
  film.hidden = true;
  film.removeAttribute("src");
  say(reason);
}
if (data.has_picture) {
  film.hidden = false;
  film.addEventListener("error", () => { if (film.getAttribute("src")) without(`This browser cannot show the picture of ${data.name}.`); });
  film.addEventListener("loadedmetadata", () => { if (film.videoWidth) state.picture = film.videoWidth; else without(""); });
  film.setAttribute("src", "api/film");
  headMoved.on(follow);
  choiceChanged.on((isSelection) => { if (isSelection && choice.selected >= 0 && !player.voice) seek(segments[choice.selected].start / rate); });
}
