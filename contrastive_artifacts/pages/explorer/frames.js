// When the map is drawn: at most once per frame of the screen.
import { signal } from "../../core/html/base.js";

export const frameDue = signal(); // with the time of the frame

// budget: markers that one frame can draw (measured); done: markers drawn of the present view; stale: the view or the
// rows changed; over: only what lies over the markers changed; moved, issued: times in ms; fence: set while the graphics
// card is busy; full: the last frame used its budget.
export const drawing = { budget: 60000, done: 0, stale: true, over: true, moved: 0, fence: null, issued: 0, frame: 0, frames: 0, full: false };

export function request() {
  drawing.frame ||= requestAnimationFrame((now) => { drawing.frame = 0; frameDue.emit(now); });
}
export function draw() { drawing.stale = drawing.over = true; drawing.moved = performance.now(); request(); } // the view or the rows changed
export function mark() { drawing.over = true; request(); } // only rings, labels or the lasso changed
