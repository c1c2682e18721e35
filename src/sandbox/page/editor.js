// A plain text editor for templates: line numbers, places that are wrong marked, and a Tab key
// that indents without keeping anybody in who works by keyboard.

import { make } from "./ui.js";

const INDENT = "  ";
/** More lines than a template has; past them there are no numbers. */
const MOST_LINES = 5000;

/** Where a line and a column, counted in characters from 1, stand in a text. */
export function offsetOf(text, line, column = 1) {
  let start = 0;
  for (let number = 1; number < line; number += 1) {
    const end = text.indexOf("\n", start);
    if (end < 0) return text.length;
    start = end + 1;
  }
  const end = text.indexOf("\n", start);
  const characters = [...text.slice(start, end < 0 ? text.length : end)];
  return start + characters.slice(0, Math.max(0, column - 1)).join("").length;
}

export class Editor {
  /** `label` for screen readers; `onInput` is called with the text after each change by a person. */
  constructor(label, onInput) {
    this.problems = [];
    this.lines = 0;
    this.leaves = false;
    this.gutter = make("div", { class: "gutter" });
    this.marks = make("pre", { class: "marks", "aria-hidden": "true" });
    this.area = make("textarea", {
      class: "code", "aria-label": label, "aria-describedby": "editor-hint",
      spellcheck: "false", autocapitalize: "off", autocomplete: "off", wrap: "off",
    });
    this.element = make("div", { class: "editor" }, this.gutter, make("div", { class: "paper" }, this.marks, this.area));
    this.area.addEventListener("input", () => {
      // What was wrong may have moved; the next answer tells where it is.
      this.setProblems([]);
      this.number();
      onInput(this.area.value);
    });
    this.area.addEventListener("scroll", () => this.follow());
    this.area.addEventListener("keydown", (event) => this.key(event));
    this.area.addEventListener("blur", () => { this.leaves = false; });
    this.number();
  }

  get text() {
    return this.area.value;
  }

  set text(text) {
    if (this.area.value === text) return;
    this.area.value = text;
    this.area.scrollTop = 0;
    this.setProblems([]);
    this.number();
  }

  set label(label) {
    this.area.setAttribute("aria-label", label);
  }

  /** Marks places: `line`, `column`, `length` and `message` each. */
  setProblems(problems) {
    const placed = problems.filter((problem) => problem.line);
    if (placed.length === 0 && this.problems.length === 0) return;
    this.problems = placed;
    this.lines = 0;
    this.number();
    const { text } = this;
    const pieces = [];
    let end = 0;
    const places = placed.map((problem) => {
      const start = offsetOf(text, problem.line, problem.column ?? 1);
      return [start, Math.max(start + 1, start + (problem.length ?? 1))];
    });
    for (const [from, to] of places.sort(([a], [b]) => a - b)) {
      if (from < end) continue;
      pieces.push(text.slice(end, from), make("mark", { text: text.slice(from, to).replace(/^(\n|$)/, " ") }));
      end = text[from] === "\n" ? from : Math.min(to, text.length);
    }
    // The last line needs something in it to be as high as in the text area.
    this.marks.replaceChildren(...pieces, `${text.slice(end)}\n`);
    this.area.setAttribute("aria-invalid", String(placed.length > 0));
    this.follow();
  }

  /** Selects what is wrong, and shows it. */
  goTo(problem) {
    const start = offsetOf(this.text, problem.line ?? 1, problem.column ?? 1);
    this.area.focus();
    this.area.setSelectionRange(start, Math.min(this.text.length, start + (problem.length ?? 0)));
    const height = Number.parseFloat(getComputedStyle(this.area).lineHeight);
    const top = ((problem.line ?? 1) - 1) * height;
    const isSeen = top >= this.area.scrollTop && top < this.area.scrollTop + this.area.clientHeight - 2 * height;
    if (!isSeen) this.area.scrollTop = Math.max(0, top - this.area.clientHeight / 2);
  }

  follow() {
    this.gutter.scrollTop = this.area.scrollTop;
    this.marks.scrollTop = this.area.scrollTop;
    this.marks.scrollLeft = this.area.scrollLeft;
  }

  /** Numbers of lines, if how many there are has changed. */
  number() {
    const lines = Math.min(MOST_LINES, this.text.split("\n").length);
    if (lines === this.lines) return;
    this.lines = lines;
    const wrong = new Map(this.problems.map((problem) => [problem.line, problem]));
    this.gutter.replaceChildren(...Array.from({ length: lines }, (_, index) => {
      const problem = wrong.get(index + 1);
      if (!problem) return make("div", { "aria-hidden": "true", text: String(index + 1) });
      const what = `Line ${index + 1}: ${problem.message}`;
      return make("div", {}, make("button", {
        type: "button", title: what, "aria-label": what, text: String(index + 1), on: { click: () => this.goTo(problem) },
      }));
    }));
    this.follow();
  }

  key(event) {
    if (event.key === "Escape") {
      this.leaves = true;
      return;
    }
    if (event.key === "Tab" && !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey && !this.leaves) {
      event.preventDefault();
      this.insert(INDENT);
      return;
    }
    if (event.key !== "Shift") this.leaves = false;
  }

  insert(text) {
    // The only way to insert what can be undone; where it is gone, it is not undone.
    if (document.execCommand("insertText", false, text)) return;
    this.area.setRangeText(text, this.area.selectionStart, this.area.selectionEnd, "end");
    this.area.dispatchEvent(new Event("input"));
  }
}
