// Playing and showing the item on the panel: version, channel, context, loop, speed, volume.
import { byId, element, state } from "../../core/html/base.js";
import { ask, busy, guarded, say } from "../shared/asking.js";
import { plural } from "../shared/counts.js";
import { levelsOf } from "../shared/levels.js";
import { Place } from "../shared/place.js";
import { player, soundChanged } from "../shared/player.js";
import { served } from "../shared/served.js";
import { page, playback } from "./page.js";
import { markSpan, paintLevels, paintPicture, playing, seconds, viewOf } from "./picture.js";

const VERSIONS = ["damaged", "clean", "difference"];
const PADS = [0, 2, 10]; // seconds of context
const SPEEDS = [0.5, 0.75, 1, 1.5, 2];

const address = (what, { row, base, version, pad, part, channel } = page.item) => `${base}/${what}?${row >= 0 ? `version=${version}&pad=${pad}` : `at=${part}`}&channel=${channel}`;

// What there is of a row: a rendered view has its clip, a window of a recording the nearest clean one.
export function versionsOf(info) {
  if (info?.has_clean) return VERSIONS;
  return typeof info?.clean_window === "number" ? ["damaged", "clean"] : ["damaged"];
}
export function controls() {
  const { item } = page, names = item.info?.channel_names ?? [];
  for (const name of VERSIONS) byId(name).setAttribute("aria-pressed", String(item.version === name));
  byId("pad").textContent = `± ${item.pad} s`;
  byId("pad").setAttribute("aria-pressed", String(item.pad > 0));
  byId("scale").setAttribute("aria-pressed", String(playback.high !== null));
  byId("log").setAttribute("aria-pressed", String(playback.log));
  byId("loop").setAttribute("aria-pressed", String(playback.loop));
  byId("whole").hidden = Object.values(item.zoom).every((edge) => edge === null);
  byId("channel").hidden = !names.length;
  byId("channel").replaceChildren(...names.map(([value, textContent]) => element("option", { value, textContent })));
  byId("channel").value = item.channel;
}

// ---- picture -----------------------------------------------------------------------------------------------------
export const picturePlace = new Place(byId("picture-note"), () => {
  if (page.item) page.item.picture = page.item.image = null;
  state.picture = byId("picture-text").textContent = "";
  paintPicture();
});
// Requests the picture of the item as it is zoomed; with `keep`, the one before is stretched over the axes until then.
export function drawPicture(keep = false) {
  const { item } = page, { zoom, picture: before } = item, { log } = playback, high = zoom.high ?? playback.high;
  const wishes = { scale: log ? "log" : "linear", start: zoom.from, stop: zoom.to, low: zoom.low, high, marks: !keep };
  const query = Object.entries(wishes).filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => `&${name}=${value}`).join("");
  return picturePlace.fill((options) => ask(`${address("picture")}${query}`, undefined, options), (picture) => {
    const { clipped, mains, relation } = keep ? before : picture;
    item.picture = { ...picture, clipped, mains, relation, log, levels: levelsOf(picture) };
    paintLevels();
    paintPicture();
    state.picture = item.key;
    byId("picture-text").textContent = describePicture(item);
  }, { keep });
}
function describePicture({ picture, ...item }) {
  const { from, to, low, high } = viewOf({ picture, ...item }), [first] = picture.segments;
  const changed = first ? `${plural(picture.segments.length, "segment")} changed by the artifact, the first at ${((first[0] - picture.span[0]) / picture.rate).toFixed(2)} seconds` : "no segment is known to be changed by an artifact";
  return `Waveform and spectrogram of ${(to - from).toFixed(2)} of ${seconds(picture).toFixed(2)} seconds, ${Math.round(low)} to ${Math.round(high)} hertz; ${changed}. ${byId("marks").textContent}`;
}
export function prefetch() { // both versions, so that A and B switch at once
  const mine = page.item;
  for (const version of mine ? versionsOf(mine.info) : []) player.buffer(served(address("audio", { ...mine, version }))).catch(() => {}); // playing it shows the error
}

// ---- sound -------------------------------------------------------------------------------------------------------
// Plays the item from `from` seconds, or stops it; without `from`, its span or from the playhead.
export async function sound(from = null) {
  const { item } = page;
  if (!item) return;
  if (playing() && from === null) { item.at = 0; player.stop(); return; }
  const { span } = item, start = from ?? span?.[0] ?? item.at;
  await player.play(served(address("audio")), item.key, { from: start, to: span?.[1] ?? null, loop: playback.loop });
}
soundChanged.on(() => { if (player.voice) state.version = playing() ? page.item.version : "damaged"; }); // other rows are played as they are
let alterTurn = 0;
// Another version or channel of the item is shown once it is heard: if it cannot be read, the present one stays.
async function alter(change, text) {
  const { item } = page, turn = ++alterTurn, next = { ...item, ...change };
  if (playing()) await busy("Reading …", () => player.change(served(address("audio", next))));
  if (page.item !== item || turn !== alterTurn || Object.keys(change).every((name) => item[name] === change[name])) return;
  Object.assign(item, change);
  Object.assign(playback, change);
  controls();
  say(text);
  state.version = item.version;
  drawPicture();
  prefetch();
}
export const version = guarded(async (name) => {
  if (versionsOf(page.item?.info).includes(name)) await alter({ version: name }, name);
  else say(`There is no ${name} version.`);
});
const setChannel = guarded((channel) => alter({ channel }, `Channel: ${byId("channel").selectedOptions[0]?.textContent ?? channel}`));
export function nextChannel() {
  const names = page.item?.info?.channel_names ?? [], at = names.findIndex(([value]) => value === page.item.channel);
  if (!names.length) say("This sound has one channel.");
  else setChannel(names[(at + 1) % names.length][0]);
}
export function changePad() {
  const { item } = page;
  if (!item?.info?.can_pad) return;
  player.stop();
  item.pad = playback.pad = PADS[(PADS.indexOf(item.pad) + 1) % PADS.length];
  Object.assign(item, { at: 0, zoom: {} });
  markSpan(null);
  controls();
  drawPicture();
  prefetch();
  say(`${item.pad} seconds of context`);
}
export function toggleLoop() {
  playback.loop = !playback.loop;
  byId("loop").setAttribute("aria-pressed", String(playback.loop));
  if (playing()) guarded(sound)(player.position());
}
export function changeSpeed(by) { // to the next slower (-1) or faster (1) one
  const at = SPEEDS.indexOf(player.speed) + by;
  if (SPEEDS[at]) { byId("speed").value = SPEEDS[at]; player.setSpeed(SPEEDS[at]); }
  say(`Speed ${player.speed}`);
}
byId("speed").replaceChildren(...SPEEDS.map((speed) => element("option", { value: speed, textContent: `${speed}×`, selected: speed === 1 })));
byId("speed").addEventListener("change", () => player.setSpeed(Number(byId("speed").value)));
byId("volume").addEventListener("input", () => player.setVolume((Number(byId("volume").value) / 100) ** 2));
byId("channel").addEventListener("change", () => setChannel(byId("channel").value));
byId("play").addEventListener("click", guarded(() => sound()));
byId("damaged").addEventListener("click", () => version("damaged"));
byId("clean").addEventListener("click", () => version("clean"));
byId("loop").addEventListener("click", toggleLoop);
byId("pad").addEventListener("click", changePad);
