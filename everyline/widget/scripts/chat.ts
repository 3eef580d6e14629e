/** The widget's element: what it knows, and which view it shows. */

import { h, icon, sign } from "./dom";
import { STYLE } from "./style";
import { fresh, type Heard, type Hello, type Home, Memory, type Message, Refused, type Talk, type Unsent, Wire } from "./wire";
import { TalkView } from "./talk";
import { article, home, mailbox, questions } from "./views";

export type View = "home" | "talk" | "questions" | "mailbox" | "article";

export class Chat extends HTMLElement {
  wire!: Wire;
  memory!: Memory;
  home: Home | undefined;
  me: Hello | undefined;
  talk: Talk | null = null;
  messages: Message[] = [];
  answers: Record<string, string> = {};
  unread = 0;
  #root = this.attachShadow({ mode: "open" });
  #room = h("div", { class: "room" });
  #said = h("p", { class: "unseen", role: "status" });
  #talking: TalkView | undefined;
  #view: View = "home";
  #listening = false;
  #opens = false;
  #page = "";

  /** Where the line is and who looks, before the element is put into the page. */
  begin(base: string, facts: { language: string; identity: string; open: boolean }) {
    this.#opens = facts.open;
    this.memory = new Memory(`everyline:${base}`);
    this.wire = new Wire(base, this.memory, facts.language, facts.identity);
    this.wire.onLost = () => this.#talking?.lost(this.wire.lost);
  }

  /** The words of the interface, with {…} filled in. */
  text(key: string, values: Record<string, string | number> = {}): string {
    return (this.home?.texts[key] ?? key).replace(/\{(\w+)\}/g, (_all, name: string) => String(values[name] ?? ""));
  }

  say(words: string) {
    this.#said.textContent = words;
  }

  async connectedCallback() {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    this.#root.adoptedStyleSheets = [sheet];
    this.#root.replaceChildren(this.#room, this.#said);
    this.hidden = true;
    this.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.hasAttribute("data-open")) this.close();
    });
    document.addEventListener("visibilitychange", () => this.#look());
    while (!this.home) {
      try {
        this.home = await this.wire.home();
      } catch (error) {
        if (error instanceof Refused && error.status < 500 && error.status !== 429) return; // this page may not show it
        await new Promise((done) => setTimeout(done, 20_000));
      }
    }
    this.lang = this.home.language;
    this.dir = /^(ar|fa|he|ur)/.test(this.home.language) ? "rtl" : "ltr";
    this.dataset["side"] = this.home.position;
    if (/^#[0-9a-f]{6}$/i.test(this.home.colour)) {
      this.style.setProperty("--brand", this.home.colour);
      this.style.setProperty("--on", bright(this.home.colour) ? "#000" : "#fff");
    }
    this.hidden = false;
    if (this.memory.token || this.wire.identity) await this.meet().catch(() => undefined);
    if (this.memory.open || this.#opens) this.open(this.talk || this.memory.unsent.length ? "talk" : "home", this.#opens);
    else this.#launcher();
  }

  disconnectedCallback() {
    this.wire.silence();
  }

  /** Say who we are and show what was said so far. */
  async meet(again = false) {
    const told = await this.wire.hello(again);
    if (told === this.me) return;
    this.#greet(told);
  }

  #greet(told: Hello) {
    this.me = told;
    this.talk = told.talk;
    this.messages = told.messages;
    this.unread = this.messages.filter((one) => one.from !== "me" && Number(one.id) > Number(told.talk?.seen_upto || Infinity)).length;
    this.#talking?.all();
    if (told.talk && told.talk.phase !== "ended") this.listen();
    void this.wire.send(this.#taken, this.#refused);
  }

  /** The site says who looks, in a token that it signed. */
  async identify(identity: string) {
    await this.meet();
    this.#greet(await this.wire.ask<Hello>("identify", { identity }));
  }

  proved(told: Hello) {
    this.memory.keep({ token: told.token });
    this.#greet(told);
  }

  listen() {
    if (this.#listening || !this.me) return;
    this.#listening = true;
    void this.wire.listen(this.me.position, (one) => this.#hear(one));
  }

  #hear(one: Heard) {
    if (one.kind === "message") {
      if (this.messages.some((known) => known.id === one.message.id)) return;
      this.messages.push(one.message);
      this.#talking?.message(one.message);
      if (one.message.from !== "me") {
        if (this.#looks()) this.#look();
        else {
          this.unread += 1;
          if (!this.hasAttribute("data-open")) this.#launcher(one.message);
        }
      }
    } else if (one.kind === "talk") {
      this.talk = one.talk;
      this.#talking?.changed();
    } else if (one.kind === "typing") this.#talking?.typing(one.on ? one.agent : null);
    else if (one.kind === "read" && this.talk) {
      this.talk.read_upto = one.upto;
      this.#talking?.read();
    } else if (one.kind === "again") {
      this.#listening = false;
      void this.meet(true);
    }
  }

  #looks() {
    return this.#view === "talk" && this.hasAttribute("data-open") && !document.hidden;
  }

  /** What stands before the visitor's eyes is seen. */
  #look() {
    const last = this.messages.findLast((one) => one.from !== "me");
    if (!this.#looks() || !last) return;
    this.unread = 0;
    if (this.talk && Number(last.id) > Number(this.talk.seen_upto || 0)) {
      this.talk.seen_upto = last.id;
      void this.wire.ask("seen", { upto: last.id }).catch(() => undefined);
    }
    if (this.talk && this.#page !== location.href && this.talk.phase !== "ended") {
      this.#page = location.href;
      void this.wire.ask("page", { url: location.href, title: document.title }).catch(() => undefined);
    }
  }

  /** Send words and files: kept until the line has taken them. */
  send(text: string, files: File[] = []) {
    const begins = !this.talk || this.talk.phase === "ended";
    const one: Unsent = { id: fresh(), text, files, begins };
    if (begins && Object.keys(this.answers).length) one.fields = this.answers;
    if (begins && this.answers["mailbox"]) one.mailbox = this.answers["mailbox"];
    this.memory.keep({ unsent: [...this.memory.unsent, one], draft: "" });
    this.#talking?.pending();
    void this.meet().then(() => {
      this.listen();
      return this.wire.send(this.#taken, this.#refused);
    }).catch(() => setTimeout(() => void this.meet().then(() => this.wire.send(this.#taken, this.#refused)).catch(() => undefined), 3000));
  }

  #taken = () => this.#talking?.pending();
  #refused = (one: Unsent, why: string) => this.#talking?.refused(one, why);

  #launcher(peek?: Message) {
    this.toggleAttribute("data-open", false);
    this.#talking = undefined;
    const button = h("button", { type: "button", class: "open", "aria-expanded": "false", "aria-haspopup": "dialog", onclick: () => this.open() },
      icon("chat"), h("span", { class: "unseen" }, this.unread ? this.text("open.unread", { n: this.unread }) : this.text("open")),
      this.unread > 0 && h("span", { class: "count", "aria-hidden": "true" }, String(this.unread)));
    const words = peek && h("div", { class: "peek" }, face(peek.agent), h("button", { type: "button", class: "words", onclick: () => this.open("talk") },
      h("b", {}, peek.agent?.name ?? this.home!.name), " ", peek.text.slice(0, 120)), sign("close", this.text("away"), () => this.#launcher()));
    this.#room.replaceChildren(h("div", { class: "launcher" }, words, button));
    if (peek) this.say(`${peek.agent?.name ?? this.home!.name}: ${peek.text.slice(0, 120)}`);
  }

  /** Open the panel. Without a view: the talk that goes on, else the first view. */
  open(view: View = this.talk && this.talk.phase !== "ended" ? "talk" : "home", focus = true) {
    this.toggleAttribute("data-open", true);
    this.memory.keep({ open: true });
    this.show(view, "", focus);
    void this.wire.home().then((told) => {
      this.home = told;
      if (this.#view === "home" && this.hasAttribute("data-open") && !this.#root.activeElement?.closest("form, input")) this.show("home", "", Boolean(this.#root.activeElement));
    }).catch(() => undefined);
  }

  close() {
    this.memory.keep({ open: false });
    this.#launcher();
    this.#room.querySelector<HTMLElement>(".open")?.focus();
  }

  /** Begin a talk: first what is asked before it. */
  start() {
    if (this.home!.fields.length && !this.talk && !Object.keys(this.answers).length) this.show("questions");
    else this.show("talk");
  }

  show(view: View, detail = "", focus = true) {
    this.#view = view;
    this.#talking = undefined;
    const panel = h("section", { class: "widget", role: "dialog", "aria-label": this.home!.name });
    if (view === "talk") {
      this.#talking = new TalkView(this, panel);
      this.#look();
    } else if (view === "home") panel.append(home(this));
    else if (view === "questions") questions(this, panel);
    else if (view === "mailbox") mailbox(this, panel, detail);
    else void article(this, panel, detail);
    this.#room.replaceChildren(panel);
    if (view === "talk") this.#talking!.shown();
    const first = ["textarea", "[data-first]", "form input", "button"].map((one) => panel.querySelector<HTMLElement>(one)).find(Boolean);
    if (focus) first?.focus();
  }
}

export const face = (agent: Message["agent"]) => {
  const made = h("span", { class: "face", "aria-hidden": "true" }, agent?.initials ?? "·");
  made.style.setProperty("--hue", String((agent?.hue ?? 7) * 30));
  return made;
};

/** Is black better to read on a colour than white? (Relative luminance, WCAG 2.2.) */
function bright(colour: string): boolean {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179;
}
