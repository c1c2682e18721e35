// One message, as a person sees it in Webex.

import { showCard } from "./card.js";
import { count, exactly, make, number, time } from "./ui.js";

const AVATARS = 6;

function initials(name) {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[1]].map((word) => [...word][0]) : [...(words[0] ?? "?")].slice(0, 2);
  return letters.join("").toUpperCase();
}

function colour(text) {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193);
  return (hash >>> 16) % AVATARS;
}

export function avatar(person) {
  return make("span", { class: `avatar c${colour(person.email)}`, "aria-hidden": "true", text: initials(person.name) });
}

/** What the text of a message looks like. `html` was sanitised by the server, and only that may be given. */
export function body(html, text) {
  const element = make("div", { class: html ? "body" : "body plain" });
  if (!html) {
    element.textContent = text ?? "";
    return element;
  }
  element.innerHTML = html;
  for (const link of element.querySelectorAll("a[href]")) {
    link.target = "_blank";
    link.rel = "noopener noreferrer";
  }
  // What scrolls must be reachable by keyboard.
  for (const code of element.querySelectorAll("pre")) code.tabIndex = 0;
  return element;
}

/** How much of what Webex takes a message uses. */
export function byteMeter(size, limit) {
  const meter = make("meter", {
    min: 0, max: limit, high: Math.round(limit * 0.9), optimum: 0, value: size,
    "aria-label": `${number(size)} of ${number(limit)} bytes`,
  });
  return make("span", { class: size > limit * 0.9 ? "size near" : "size", title: `${number(size)} of the ${number(limit)} bytes that Webex takes` },
    meter, make("span", { text: `${number(size)} B` }));
}

/** One card that cannot be shown must not hide the other messages. */
function card(attachment) {
  try {
    return showCard(attachment.content);
  } catch (error) {
    return make("p", { class: "failure", text: `This card cannot be shown: ${error.message}` });
  }
}

/** The text and the card: what a client shows, and what one without cards shows. */
export function content(message) {
  const shown = body(message.page_html, message.text);
  const parts = message.card
    ? [card(message.card), make("details", { class: "beside" }, make("summary", { text: "Text for clients without cards" }), shown)]
    : [shown];
  if (message.upload) parts.push(make("p", { class: "files", text: `File: ${message.upload.name} (${number(message.upload.bytes)} bytes)` }));
  else for (const file of message.files ?? []) parts.push(make("p", { class: "files", text: `File: ${file}` }));
  return parts;
}

/**
 * A message in the list. `options`: `limit` in bytes, `isReply`, `isOrphan` (its thread's root is
 * gone), `room` (its title, where several are mixed), `address(…tab)` of its details.
 */
export function showMessage(message, options) {
  const by = make("div", { class: "by" },
    make("span", { class: "who", text: message.person.name }),
    time(message.created));
  if (options.room) by.append(make("span", { class: "tag", text: options.room }));
  if (message.edits > 0) {
    by.append(make("a", { class: "tag", href: options.address("versions"), title: `Last edited ${exactly(message.updated)}`, text: `edited ${message.edits}×` }));
  }
  if (options.isOrphan) by.append(make("span", { class: "tag", text: "reply to a message that is gone" }));
  by.append(byteMeter(message.size, options.limit),
    make("a", { class: "open", href: options.address(), text: "Details", "aria-label": `Details of the message of ${exactly(message.created)}` }));

  return make("article", {
    class: `message${options.isReply ? " reply" : ""}${options.isChosen ? " chosen" : ""}`,
    data: { id: message.id },
    "aria-label": `${message.person.name}, ${exactly(message.created)}${message.edits ? `, edited ${count(message.edits, "time")}` : ""}`,
  }, avatar(message.person), make("div", { class: "inner" }, by, content(message)));
}
