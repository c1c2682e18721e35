// The bots of the sandbox: a quota, a token that is refused, and the rooms that each is in.

import { button, call, make, reconcile, showError } from "./ui.js";

export class Bots {
  constructor(app) {
    this.app = app;
    this.list = make("div", { class: "bots" });
    this.failure = make("p", { hidden: true });
    this.rows = new Map();
    this.element = make("section", { class: "panel", "aria-label": "Bots" }, make("h3", { text: "Bots" }),
      make("p", { class: "hint", text: "What a bot may do. Requests past its quota get a 429, a revoked token a 401, a room it is not in a 404." }),
      this.list, this.failure);
  }

  async change(path, options) {
    try {
      await call(`/control/v1/${path}`, options);
      showError(this.failure, null);
      await this.app.refresh();
    } catch (error) {
      showError(this.failure, error);
    }
  }

  show(state) {
    const rooms = state.rooms.filter((room) => room.room_type === "group").slice(0, 100);
    const children = state.bots.map((bot) => {
      const version = JSON.stringify([bot, rooms.map((room) => [room.id, room.title, room.bots.includes(bot.name)])]);
      const known = this.rows.get(bot.name) ?? this.make(bot);
      if (known.version !== version) {
        known.version = version;
        this.fill(known, bot, rooms);
      }
      this.rows.set(bot.name, known);
      return known.element;
    });
    const names = new Set(state.bots.map((bot) => bot.name));
    for (const name of this.rows.keys()) if (!names.has(name)) this.rows.delete(name);
    reconcile(this.list, children);
  }

  make(bot) {
    const path = `bots/${encodeURIComponent(bot.name)}`;
    const known = { rooms: make("div", { class: "checks" }), badge: make("span") };
    known.perSecond = make("input", { type: "number", min: "0.01", step: "any", placeholder: "none", "aria-label": `Requests a second of ${bot.name}` });
    known.burst = make("input", { type: "number", min: "1", step: "1", placeholder: "burst", "aria-label": `Burst of ${bot.name}` });
    known.revoke = button("", () => this.change(path, { method: "PATCH", body: { revoked: known.revoke.dataset.revoked !== "true" } }), { class: "button small" });
    known.lift = button("Lift", () => this.change(path, { method: "PATCH", body: { quota: null } }), { class: "button small quiet" });
    const quota = make("form", { class: "quota" }, known.perSecond, make("span", { text: "a second, burst" }), known.burst,
      make("button", { type: "submit", class: "button small", text: "Set" }), known.lift);
    quota.addEventListener("submit", (event) => {
      event.preventDefault();
      const perSecond = Number(known.perSecond.value);
      const burst = known.burst.value === "" ? Math.max(1, Math.ceil(perSecond)) : Number(known.burst.value);
      this.change(path, { method: "PATCH", body: { quota: { per_second: perSecond, burst } } });
    });
    known.element = make("article", { class: "bot", "aria-label": `Bot ${bot.name}` },
      make("div", { class: "bot-head" }, make("h4", { text: bot.name }), known.badge, known.revoke),
      make("dl", { class: "facts" },
        make("dt", { text: "Quota" }), make("dd", {}, quota),
        make("dt", { text: "Is in" }), make("dd", {}, known.rooms)));
    return known;
  }

  fill(known, bot, rooms) {
    known.badge.className = bot.revoked ? "badge danger" : "badge success";
    known.badge.textContent = bot.revoked ? "token revoked" : "token valid";
    known.revoke.dataset.revoked = String(bot.revoked);
    known.revoke.textContent = bot.revoked ? "Restore the token" : "Revoke the token";
    if (document.activeElement !== known.perSecond) known.perSecond.value = bot.quota ? String(bot.quota.per_second) : "";
    if (document.activeElement !== known.burst) known.burst.value = bot.quota ? String(bot.quota.burst) : "";
    known.lift.hidden = !bot.quota;
    const focused = document.activeElement?.dataset?.member;
    known.rooms.replaceChildren(...rooms.map((room) => {
      const box = make("input", { type: "checkbox", checked: room.bots.includes(bot.name), data: { member: `${bot.name} ${room.id}` } });
      box.addEventListener("change", () => this.change(
        `rooms/${encodeURIComponent(room.id)}/bots/${encodeURIComponent(bot.name)}`, { method: box.checked ? "PUT" : "DELETE" }));
      return make("label", { class: "check" }, box, make("span", { text: room.title }));
    }));
    if (focused) known.rooms.querySelector(`[data-member="${CSS.escape(focused)}"]`)?.focus();
  }
}
