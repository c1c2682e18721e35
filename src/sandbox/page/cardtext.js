// The Markdown that cards know: bold, italic, links and lists. Nothing of it becomes markup but
// what is built here.

import { make, webAddress } from "./ui.js";

const PUNCTUATION = /[!-/:-@[-`{-~]/;
const WORD = /[\p{L}\p{N}]/u;

/** Where the text between `mark` at `from` and its like ends, or -1. */
function end(text, from, mark) {
  const start = from + mark.length;
  if (/^\s?$/.test(text[start] ?? "") || (mark[0] === "_" && WORD.test(text[from - 1] ?? ""))) return -1;
  for (let at = start + 1; at <= text.length - mark.length; at += 1) {
    if (text[at - 1] === "\\") continue;
    if (!text.startsWith(mark, at) || /\s/.test(text[at - 1])) continue;
    if (mark.length === 1 && (text[at + 1] === mark || text[at - 1] === mark)) continue;
    if (mark[0] === "_" && WORD.test(text[at + mark.length] ?? "")) continue;
    return at;
  }
  return -1;
}

/** The nodes that a line of text becomes. */
export function inline(text, depth = 0) {
  const nodes = [];
  let plain = "";
  const flush = () => {
    if (plain) nodes.push(document.createTextNode(plain));
    plain = "";
  };
  let at = 0;
  while (at < text.length) {
    const character = text[at];
    if (character === "\\" && PUNCTUATION.test(text[at + 1] ?? "")) {
      plain += text[at + 1];
      at += 2;
      continue;
    }
    if ((character === "*" || character === "_") && depth < 4) {
      const mark = text[at + 1] === character ? character + character : character;
      const close = end(text, at, mark);
      if (close > 0) {
        flush();
        const inner = inline(text.slice(at + mark.length, close), depth + 1);
        nodes.push(make(mark.length === 2 ? "strong" : "em", {}, inner));
        at = close + mark.length;
        continue;
      }
      plain += mark;
      at += mark.length;
      continue;
    }
    if (character === "[") {
      const link = /^\[((?:\\.|[^\]\\])+)\]\(([^)\s]+)\)/.exec(text.slice(at, at + 4000));
      if (link) {
        flush();
        const [whole, label, address] = link;
        const inner = inline(label, 4);
        nodes.push(...(webAddress(address) ? [make("a", { href: address }, inner)] : inner));
        at += whole.length;
        continue;
      }
    }
    plain += character;
    at += 1;
  }
  flush();
  return nodes;
}

/** The nodes that a text of several lines becomes: paragraphs and lists. */
export function paragraphs(text) {
  const blocks = [];
  for (const line of text.split("\n")) {
    const item = /^\s*(?:([-*+])|(\d{1,9})[.)])\s+(.*)$/.exec(line);
    const kind = item ? (item[1] ? "ul" : "ol") : "p";
    const content = item ? item[3] : line;
    const last = blocks.at(-1);
    if (last?.kind === kind) last.lines.push(content);
    else blocks.push({ kind, start: item?.[2], lines: [content] });
  }
  return blocks.map(({ kind, start, lines }) => (kind === "p"
    ? make("p", {}, inline(lines.join("\n")))
    : make(kind, { start: kind === "ol" ? start : null }, lines.map((line) => make("li", {}, inline(line))))));
}
