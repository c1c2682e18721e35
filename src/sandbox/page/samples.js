// Send a sample: for who has no Alertmanager at hand. It goes the whole way, by the service's
// own port, and arrives in the space.

import { roomTitle, roomsOf, showSent } from "./result.js";
import { button, call, count, field, make, select, showError, time } from "./ui.js";

const MOST_SHOWN = 10;

let app = null;
let parts = null;
let samples = [];
let receivers = [];
let isMounted = false;

export async function mount(element, theApp) {
  app = theApp;
  isMounted = true;
  parts = {
    receiver: select([]),
    choices: make("div", { class: "picks", role: "radiogroup", "aria-label": "Sample" }),
    send: button("Send", send, { class: "button primary", disabled: true }),
    where: make("div", { class: "sent-links" }),
    failure: make("p", { hidden: true }),
    log: make("ul", {}),
  };
  parts.receiver.addEventListener("change", showWhere);
  element.append(make("div", { class: "samples-page" },
    make("header", { class: "page-head" }, make("h2", { text: "Send a sample" }),
      make("p", { text: "No Alertmanager at hand? Pick a notification. It is sent to the service as an Alertmanager would send it, and arrives in the space." })),
    make("section", { class: "panel", "aria-label": "Sample to send" },
      field("Receiver", parts.receiver), parts.choices,
      make("div", { class: "bar-actions" }, parts.where, parts.send), parts.failure),
    make("section", { class: "panel", "aria-label": "What became of it" }, make("h3", { text: "Sent" }),
      make("p", { class: "hint", text: "What Alertmanager would have been told. After a 503 the delivery goes on." }),
      make("div", { class: "sent-log", role: "log", "aria-label": "Sent" }, parts.log))));
  try {
    [samples, receivers] = await Promise.all(["samples", "receivers"].map((list) => call(`/dev/v1/${list}`)));
  } catch (error) {
    if (isMounted) showError(parts.failure, error);
    return;
  }
  if (!isMounted) return;
  parts.receiver.replaceChildren(...receivers.map((receiver) => make("option", { value: receiver.name, text: `${receiver.name} → ${roomsOf(app, receiver)}` })));
  parts.choices.replaceChildren(...samples.map(({ name, shows, notifications }, index) => make("label", { class: "pick" },
    make("input", { type: "radio", name: "sample", value: name, checked: index === 0 }),
    make("span", { class: "pick-name", text: name.replaceAll("_", " ") }),
    make("span", { class: "pick-text", text: notifications > 1 ? `${shows} (${count(notifications, "notification")})` : shows }))));
  parts.send.disabled = false;
  showWhere();
}

export function unmount() {
  isMounted = false;
}

function showWhere() {
  const receiver = receivers.find((one) => one.name === parts.receiver.value);
  parts.where.replaceChildren(...(receiver?.rooms ?? []).filter((room) => room.id).map((room) => make("a", { class: "button small quiet", href: app.address("spaces", room.id), text: `Open ${roomTitle(app, room)}` })));
}

async function send() {
  const name = parts.choices.querySelector(":checked").value;
  const receiver = parts.receiver.value;
  const sample = samples.find((one) => one.name === name);
  const rooms = receivers.find((one) => one.name === receiver)?.rooms ?? [];
  const watch = rooms.filter((room) => room.id).map((room) => make("a", { class: "button small", href: app.address("spaces", room.id), text: `Watch ${roomTitle(app, room)}` }));
  const outcome = make("div", { class: "sent-outcome" }, make("p", { class: "hint", text: `Sending ${count(sample.notifications, "notification")}…` }), make("div", { class: "sent-links" }, watch));
  const row = make("li", { class: "sent-row" }, make("div", { class: "by" }, make("strong", { class: "pick-name", text: name.replaceAll("_", " ") }), make("span", { text: `to ${receiver}` }), time(new Date().toISOString())), outcome);
  parts.log.prepend(row);
  while (parts.log.children.length > MOST_SHOWN) parts.log.lastElementChild.remove();
  parts.send.disabled = true;
  showError(parts.failure, null);
  try {
    outcome.replaceChildren(...showSent(app, await call("/dev/v1/send", { body: { receiver, sample: name } })));
  } catch (error) {
    row.remove();
    showError(parts.failure, error);
  } finally {
    parts.send.disabled = false;
  }
}
