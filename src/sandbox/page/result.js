// What a notification became: the parts as Webex shows them, or their sources.

import { showCard } from "./card.js";
import { body, byteMeter } from "./message.js";
import { make, number } from "./ui.js";

/** Ways to look at a part: name, title, and what is shown. */
export const FORMS = [
  ["message", "Message", shown],
  ["markdown", "Markdown", (part) => source(part.markdown, "Markdown")],
  ["text", "Text", (part) => source(part.text, "Plain text")],
  ["html", "HTML", (part) => source(part.html, "HTML")],
  ["card", "Card", (part) => (part.card ? source(JSON.stringify(part.card, null, 2), "Card") : hint("No card goes with this part."))],
];

const hint = (text) => make("p", { class: "hint", text });
const source = (text, label) => make("pre", { class: "source", tabindex: "0", "aria-label": label, text });

function shown(part) {
  const text = body(part.html, part.text);
  if (!part.card) return text;
  return [showCard(part.card), make("details", { class: "beside" }, make("summary", { text: "Text for clients without cards" }), text)];
}

function sizes(part, limits) {
  const others = [`as text ${number(part.bytes.text)} B`];
  if (part.bytes.card !== null) others.push(`card ${number(part.bytes.card)} of ${number(limits.card)} B`);
  return make("div", { class: "part-sizes" }, byteMeter(part.bytes.markdown, limits.message),
    make("span", { class: "hint", text: `of ${number(limits.message)} B · ${others.join(" · ")}` }));
}

/** The parts in one form. `rendered` is the server's answer. */
export function showParts(rendered, form) {
  const [, , show] = FORMS.find(([name]) => name === form) ?? FORMS[0];
  const many = rendered.parts.length > 1;
  return rendered.parts.map((part, index) => make("article", { class: "part", "aria-label": many ? `Part ${index + 1} of ${rendered.parts.length}` : "Message" },
    make("div", { class: "part-head" }, many ? make("h3", { text: `Part ${index + 1} of ${rendered.parts.length}` }) : null, sizes(part, rendered.limits)),
    make("div", { class: form === "message" ? "part-body bubble" : "part-body" }, show(part))));
}

/** What Alertmanager was told, and where to look. `app` gives addresses. */
export function showSent(app, sent) {
  const answers = sent.answers.map((answer) => make("li", {},
    make("span", { class: `badge ${kind(answer.status)}`, text: answer.status ? String(answer.status) : "no answer" }),
    make("span", { class: "sent-text" },
      make("strong", { text: answer.count > 1 ? `${answer.reason} (${number(answer.count)}×)` : answer.reason }), make("span", { text: answer.message }))));
  const links = sent.messages.length > 0
    ? sent.messages.slice(0, 5).map((message, index) => make("a", { class: "button small", href: app.address("spaces", message.room, message.id), text: sent.messages.length > 1 ? `Message ${index + 1}` : "See the message" }))
    : sent.rooms.filter((room) => room.id).map((room) => make("a", { class: "button small", href: app.address("spaces", room.id), text: `Watch ${roomTitle(app, room)}` }));
  return [make("ul", { class: "sent-answers" }, answers), make("div", { class: "sent-links" }, links)];
}

/** What people call a room: its title here, else the configuration's name. */
export function roomTitle(app, room) {
  return app.state?.rooms.find((known) => known.id === room.id)?.title ?? room.name;
}

/** The rooms of a receiver, in a few words. */
export function roomsOf(app, receiver) {
  return receiver.rooms.map((room) => roomTitle(app, room)).join(", ");
}

/** The colour of a status. */
export function kind(status) {
  if (status >= 200 && status < 300) return "success";
  return status === 503 ? "warning" : "danger";
}
