// One message looked at closely: how it is shown, its sources, the request that made it, what
// its sender was answered, and the notification it came from where that is known.

import { body, byteMeter, content } from "./message.js";
import { button, call, exactly, make, number, showError, time } from "./ui.js";

/** Text as it is, with a button that copies it. */
function source(text, label) {
  if (text === null || text === undefined || text === "") return [make("p", { class: "hint", text: "Nothing." })];
  const copy = button("Copy", async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "Select it and copy";
    }
    setTimeout(() => { copy.textContent = "Copy"; }, 2000);
  }, { class: "button small quiet" });
  return [make("div", { class: "source-head" }, make("h3", { text: label }), copy),
    make("pre", { class: "source", tabindex: "0", "aria-label": label, text })];
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function headers(list) {
  return make("dl", { class: "headers" }, list.flatMap(([name, value]) => [make("dt", { text: name }), make("dd", { text: value })]));
}

function request(version) {
  const sent = version.request;
  if (!sent) return [make("p", { class: "hint", text: "The request is not kept any more: only those of the newest messages are." })];
  const cut = sent.body_bytes > new TextEncoder().encode(sent.body).length;
  return [
    make("p", { class: "call" }, make("strong", { text: sent.method }), ` ${sent.path}`),
    headers(sent.headers),
    source(pretty(sent.body), cut ? `Body, the beginning of ${number(sent.body_bytes)} bytes` : `Body, ${number(sent.body_bytes)} bytes`),
  ];
}

function answer(version) {
  const given = version.answer;
  if (!given) {
    const text = version.request ? "The sender got no answer: the connection was broken on purpose." : "The answer is not kept any more: only those of the newest messages are.";
    return [make("p", { class: "hint", text })];
  }
  const kind = given.status < 300 ? "success" : "danger";
  return [
    make("p", { class: "call" }, make("span", { class: `badge ${kind}`, text: String(given.status) })),
    headers(given.headers),
    source(pretty(given.body ?? ""), "Body"),
  ];
}

function versions(detail, limit) {
  return detail.versions.toReversed().map((version, index) => make("article", { class: "version", "aria-label": version.edits === 0 ? "As posted" : `Edit ${version.edits}` },
    make("div", { class: "by" },
      make("strong", { text: version.edits === 0 ? "As posted" : `Edit ${version.edits}` }), time(version.at, exactly(version.at)),
      index === 0 ? make("span", { class: "badge plain", text: "now" }) : null, byteMeter(version.size, limit)),
    body(version.page_html, version.text)));
}

/** The panel beside the messages. */
export class Details {
  constructor(app, close) {
    this.app = app;
    this.close = close;
    this.element = make("aside", { class: "details", "aria-label": "Message", tabindex: "-1", hidden: true });
    this.id = null;
    this.element.addEventListener("keydown", (event) => this.arrow(event));
  }

  /** Shows a message, or nothing. `tab` is the name of one, or nothing. */
  async open(room, id, tab) {
    this.tab = tab;
    if (!id) {
      this.id = null;
      this.detail = null;
      this.element.hidden = true;
      this.element.replaceChildren();
      return;
    }
    const isOther = id !== this.id;
    this.room = room;
    this.id = id;
    this.element.hidden = false;
    if (isOther) {
      this.detail = null;
      this.frame();
      await this.load();
      if (this.id === id) this.element.focus({ preventScroll: true });
    } else {
      this.show();
    }
  }

  /** The message may have changed. */
  async refresh(revision) {
    if (!this.id || !this.detail || this.isLoading) return;
    if (revision !== undefined && revision === this.detail.message.revision) return;
    await this.load();
  }

  async load() {
    const { id } = this;
    this.isLoading = true;
    try {
      // The limit of bytes is told by the state.
      if (!this.app.state) await this.app.refresh();
      const detail = await call(`/control/v1/messages/${encodeURIComponent(id)}`);
      if (this.id !== id) return;
      this.detail = detail;
      this.show();
    } catch (error) {
      if (this.id === id) this.fail(error);
    } finally {
      this.isLoading = false;
    }
  }

  /** The notifications that it came from, asked for when somebody looks. */
  notification() {
    const { id } = this;
    const place = make("div", {}, make("p", { class: "hint", text: "Asking…" }));
    call(`/dev/v1/messages/${encodeURIComponent(id)}/notification`).then(({ notifications }) => {
      place.replaceChildren(...notifications.map(({ receiver, received, body: sent }) => make("section", { class: "version", "aria-label": `Notification for ${receiver}` },
        make("div", { class: "by" }, make("strong", { text: `For ${receiver}` }), time(received, exactly(received))),
        source(JSON.stringify(sent, null, 2), "What Alertmanager sent"))));
    }, (error) => {
      const text = error.status === 404 ? "None is known: something else posted this message, or it is too long ago." : error.message;
      place.replaceChildren(make("p", { class: "hint", text }));
    });
    return place;
  }

  frame(...parts) {
    this.element.replaceChildren(
      make("div", { class: "details-head" }, make("h2", { text: "Message" }),
        make("button", { type: "button", class: "close", "aria-label": "Close the details", text: "×", on: { click: this.close } })),
      ...parts);
  }

  fail(error) {
    const place = make("p");
    showError(place, error.status === 404 ? new Error("This message is gone: deleted, or older than the newest 5,000.") : error);
    this.frame(place);
  }

  tabs() {
    const { message, versions: all } = this.detail;
    const now = all.at(-1);
    const { limit } = this.app.state;
    const tabs = [
      ["rendered", "Rendered", () => content(message)],
      message.markdown ? ["markdown", "Markdown", () => source(message.markdown, "Markdown, as sent")] : null,
      ["text", "Text", () => source(message.text, "Plain text")],
      now.html ? ["html", "HTML", () => source(now.html, "HTML")] : null,
      message.card ? ["card", "Card", () => source(JSON.stringify(message.card, null, 2), "Card, as sent")] : null,
      ["request", "Request", () => request(now)],
      ["answer", "Answer", () => answer(now)],
      all.length > 1 ? ["versions", `Versions (${all.length})`, () => versions(this.detail, limit)] : null,
      this.app.state.dev ? ["notification", "Notification", () => this.notification()] : null,
    ];
    return tabs.filter(Boolean);
  }

  show() {
    if (!this.detail) return;
    const { message } = this.detail;
    const tabs = this.tabs();
    const chosen = tabs.find(([name]) => name === this.tab) ?? tabs[0];
    const hadFocus = document.activeElement?.getAttribute("role") === "tab" && this.element.contains(document.activeElement);
    const row = make("div", { class: "segments", role: "tablist", "aria-label": "Ways to look at the message" }, tabs.map(([name, title]) => make("button", {
      type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "tab-panel",
      "aria-selected": String(name === chosen[0]), tabindex: name === chosen[0] ? "0" : "-1", text: title,
      on: { click: () => this.app.go("spaces", this.room, this.id, name) },
    })));
    const panel = make("div", { role: "tabpanel", id: "tab-panel", class: `tab-panel ${chosen[0]}`, "aria-labelledby": `tab-${chosen[0]}`, tabindex: "0" }, chosen[2]());
    this.frame(
      make("dl", { class: "facts" },
        make("dt", { text: "From" }), make("dd", { text: `${message.person.name} (${message.person.email})` }),
        make("dt", { text: "Posted" }), make("dd", {}, time(message.created, exactly(message.created))),
        make("dt", { text: "Size" }), make("dd", {}, byteMeter(message.size, this.app.state.limit)),
        make("dt", { text: "Id" }), make("dd", {}, make("code", { text: message.id }))),
      row, panel,
      make("div", { class: "details-foot" }, button("Delete the message", () => this.remove(), { class: "button small danger" })));
    if (hadFocus) row.querySelector("[aria-selected=true]").focus();
  }

  arrow(event) {
    const tab = event.target.closest?.("[role=tab]");
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!tab || !step) return;
    event.preventDefault();
    const all = [...tab.parentElement.children];
    const next = all[(all.indexOf(tab) + step + all.length) % all.length];
    next.focus();
    next.click();
  }

  async remove() {
    try {
      await call(`/control/v1/messages/${encodeURIComponent(this.id)}`, { method: "DELETE" });
      this.app.tell("The message is deleted.");
      this.close();
    } catch (error) {
      this.app.fail(error);
    }
  }
}
