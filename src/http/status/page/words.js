// Times and texts as a person reads them.

import { serverNow } from "./ask.js";
import { duration, exactly, make } from "./ui.js";

/** How long ago, coarser the longer it is, so that little changes on the page. */
function span(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 5) return "a moment";
  if (seconds < 60) return `${Math.floor(seconds / 5) * 5} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}

function words(kind, stamp, after, now) {
  if (kind === "ago") return `${span(now - Date.parse(stamp))}${after}`;
  const left = Date.parse(stamp) - now;
  return left > 0 ? `in ${duration(Math.ceil(left / 1000) * 1000)}` : "any moment";
}

function live(kind, stamp, after = "") {
  return make("time", {
    datetime: stamp, title: exactly(stamp), data: { kind, after }, text: words(kind, stamp, after, serverNow()),
  });
}

/** "3 min ago"; `after` takes the place of " ago". */
export const ago = (stamp, after = " ago") => live("ago", stamp, after);
/** "in 23 s". */
export const until = (stamp) => live("until", stamp);

/** A day and a time of day. */
export const day = (stamp) => make("time", { datetime: stamp, text: exactly(stamp) });

/** Brings all times on the page up to date. */
export function tick(now) {
  for (const time of document.querySelectorAll("time[data-kind]")) {
    const text = words(time.dataset.kind, time.dateTime, time.dataset.after, now);
    if (time.textContent !== text) time.textContent = text;
  }
}

/** A text of the service, in which names stand between backticks. */
export function quoted(text) {
  return text.split(/`([^`]+)`/).map((part, index) => (index % 2 ? make("code", { text: part }) : part));
}

const capital = (text) => text.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());

/**
 * A reason in the order in which it is read in a hurry: what is wrong, then what to do, and last
 * what only Webex's support asks for.
 */
export function explained(message) {
  const last = message.lastIndexOf("; ");
  // Where a token comes from is no remedy.
  const cut = message.startsWith("; it comes from", last) ? -1 : last;
  const [what, remedy] = cut < 0 ? [message, ""] : [message.slice(0, cut), message.slice(cut + 2)];
  const found = what.match(/^(.*?)(?:: | \()(Webex answered .*?)\)?(; it comes from .*)?$/s);
  return [
    quoted(capital(found ? `${found[1]}${found[3] ?? ""}` : what)),
    remedy ? make("span", { class: "remedy" }, quoted(capital(remedy))) : null,
    found ? make("span", { class: "aside" }, quoted(found[2])) : null,
  ];
}
