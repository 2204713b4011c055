// The sound of a finding: stored in the page, or read from the recording by the server of the page.
import { served } from "../../pages/shared/served.js";
import { stored } from "../../pages/shared/stored.js";
import { data, rate, segments, total } from "./view.js";

// { sound for the player, start: its first sample in the recording }; null for none.
export function soundOf(n) {
  const finding = segments[n];
  if (!finding) return null;
  if (!data.served) return finding.sound < 0 ? null : { sound: stored(`sound${finding.sound}`), start: data.sounds[finding.sound][0] };
  const around = Math.round(data.context_s * rate), longest = Math.round(data.longest_s * rate);
  return cut(finding.start - around, Math.min(finding.stop, finding.start + longest) + around, finding.channel);
}
// What follows a sample of a served recording; null where the sounds are stored.
export const soundFrom = (start) => (data.served ? cut(start, start + Math.round(data.longest_s * rate), null) : null);

function cut(from, to, channel) {
  const start = Math.max(0, Math.round(from)), stop = Math.min(total, Math.round(to));
  return stop > start ? { sound: served(`api/sound?start=${start}&stop=${stop}${channel === null ? "" : `&channel=${channel}`}`), start } : null;
}

export const whyNot = () => (data.sounds.length ? `room is for ${megabytes(data.limit_bytes)} of sound, the most severe findings first.` : "the recording was not in its place when the page was made.");
const megabytes = (count) => `${(count / 1e6).toFixed(count < 1e7 ? 1 : 0)} MB`;
// What the page says of its sounds.
export function soundFacts() {
  const silent = segments.filter((s) => s.sound < 0).length, storedBytes = data.sounds.reduce((sum, [, , count]) => sum + count, 0);
  const around = `with ${data.context_s} s around each, the first ${data.longest_s} s of longer ones`;
  if (data.served) return `The sound is read from the recording: of findings ${around}; a click on the waveform plays from there.`;
  if (!segments.length) return "";
  if (!data.sounds.length) return `No finding has sound: ${whyNot()}`;
  const rest = silent ? `; ${silent.toLocaleString("en")} have none (–): ${whyNot()}` : "";
  return `Sound of ${(segments.length - silent).toLocaleString("en")} findings, ${around}: ${megabytes(storedBytes)} in this page${rest}${rest ? "" : "."}`;
}
