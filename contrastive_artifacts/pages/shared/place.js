// A place on a page shows what belongs to one subject: a row, a query, a search. When the subject changes, its content is
// blanked at once, "Reading …" stands there after 150 ms, and then the answer, or the reason why there is none. Answers
// and errors for an earlier subject are dropped.
const PATIENCE_MS = 150;

export class Place {
  // note: the element of its texts; blank: removes what is shown.
  constructor(note, blank) { Object.assign(this, { note, blank, turn: 0, timer: 0, request: null }); }

  clear() { // nothing is shown, and what is under way will not be
    this.drop();
    this.blank();
  }
  drop() {
    this.turn++;
    this.request?.abort();
    clearTimeout(this.timer);
    this.tell("");
  }
  tell(text, failed = false) {
    this.note.hidden = !text;
    this.note.textContent = text;
    this.note.classList.toggle("failed", failed);
  }
  // Shows what job({ signal }) answers by `show`; the result is whether it is shown. What is there already is of the same
  // subject, and stays until then, if it is to be kept.
  async fill(job, show, { text = "Reading …", keep = false } = {}) {
    this.drop();
    if (!keep) this.blank();
    const { turn } = this;
    this.request = new AbortController();
    this.timer = setTimeout(() => this.tell(text), PATIENCE_MS);
    try {
      const answer = await job({ signal: this.request.signal });
      if (turn !== this.turn) return false;
      clearTimeout(this.timer);
      this.tell("");
      show(answer);
      return true;
    } catch (error) {
      if (turn !== this.turn) return false;
      clearTimeout(this.timer);
      this.blank();
      this.tell(error.message, true);
      return false;
    }
  }
}
