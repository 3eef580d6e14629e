/** The talk: its messages as a log, what is to be done beside them, and the composer. */

import type { Chat } from "./chat";
import { face } from "./chat";
import { h, icon, link, linked, safe, sign } from "./dom";
import type { Agent, Message, Piece, Unsent } from "./wire";
import { bar, mailboxForm, surveyForm } from "./views";

const TYPING = 3000; // ms between two signs that we type
const STOPPED = 6000;

export class TalkView {
  #log = h("div", { class: "talk scroll", role: "log", tabindex: "0" });
  #beside = h("div", { class: "beside" });
  #held = h("div", { class: "held" });
  #lost = h("p", { class: "lost", role: "status", hidden: true });
  #head = h("div");
  #headed = "";
  #typing: HTMLElement | undefined;
  #typed = 0;
  #stopped: ReturnType<typeof setTimeout> | undefined;
  #over: ReturnType<typeof setTimeout> | undefined;
  #files: File[] = [];
  #phase = "";
  #area: HTMLTextAreaElement;
  #form: HTMLFormElement;

  constructor(readonly chat: Chat, panel: HTMLElement) {
    const { files } = chat.home!;
    this.#area = h("textarea", { rows: 1, maxlength: chat.home!.longest_text, oninput: () => this.#types(), onkeydown: (event: KeyboardEvent) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.#form.requestSubmit(); }
    } });
    this.#area.value = chat.memory.draft;
    const attach = h("label", { class: "sign attach", title: chat.text("file") }, icon("clip"), h("span", { class: "unseen" }, chat.text("file")),
      h("input", { class: "unseen", type: "file", multiple: true, accept: files.kinds.join(","), onchange: (event: Event) => {
        const input = event.target as HTMLInputElement;
        this.#attach([...(input.files ?? [])]);
        input.value = "";
      } }));
    this.#form = h("form", { class: "composer", onsubmit: (event: Event) => { event.preventDefault(); this.#send(); } }, this.#held,
      h("div", { class: "box" }, files.most > 0 && attach, this.#area, h("button", { class: "sign send", "aria-label": chat.text("send"), title: chat.text("send") }, icon("send"))));
    this.#lost.append(icon("lost"), h("span", {}, h("b", {}, chat.text("lost")), " ", chat.text("lost.more")));
    panel.append(this.#head, this.#lost, this.#log, this.#form);
    this.lost(chat.wire.lost);
    this.all();
  }

  shown() { this.#log.scrollTop = this.#log.scrollHeight; }

  lost(lost: boolean) { this.#lost.hidden = !lost; }

  /** Everything anew. */
  all() {
    const { chat } = this;
    this.#log.replaceChildren();
    if (chat.me?.earlier) this.#log.append(h("button", { type: "button", class: "quiet", onclick: () => void this.#earlier() }, chat.text("earlier")));
    if (chat.home!.notice) this.#log.append(h("p", { class: "soft" }, ...linked(chat.home!.notice)));
    if (!chat.messages.length) this.#log.append(h("p", { class: "event" }, h("span", {}, chat.home!.greeting)));
    for (const one of chat.messages) this.#log.append(this.#turn(one));
    this.#log.append(this.#beside);
    this.changed();
    this.pending();
    this.shown();
  }

  async #earlier() {
    const { chat } = this, first = chat.messages[0];
    if (!first || !chat.me) return;
    const told = await chat.wire.ask<{ messages: Message[]; earlier: boolean }>(`messages?before=${first.id}`);
    chat.messages.unshift(...told.messages);
    chat.me.earlier = told.earlier;
    this.all();
  }

  message(one: Message) {
    this.typing(null);
    this.#log.querySelector(`[data-pending="${CSS.escape(one.client_id)}"]`)?.remove();
    if (one.from === "me" || one.replies.length) this.#log.querySelectorAll(".replies").forEach((old) => old.remove()); // answered, or asked anew
    this.#log.insertBefore(this.#turn(one), this.#log.querySelector("[data-pending]") ?? this.#beside);
    this.shown();
  }

  /** What is on its way, below what has arrived. */
  pending() {
    for (const old of this.#log.querySelectorAll("[data-pending]")) old.remove();
    for (const one of this.chat.memory.unsent) {
      if (this.chat.messages.some((known) => known.client_id === one.id)) continue;
      this.#beside.before(h("div", { class: "turn mine pending", "data-pending": one.id }, one.text && h("p", { class: "said" }, one.text),
        h("p", { class: "meta" }, this.chat.text("pending"))));
    }
    this.shown();
  }

  refused(one: Unsent, why: string) {
    this.pending();
    if (!this.#area.value) this.#area.value = one.text;
    this.#beside.before(h("p", { class: "wrong", role: "alert" }, why || this.chat.text("failed")));
    this.shown();
  }

  typing(agent: Agent | null) {
    clearTimeout(this.#over);
    this.#typing?.remove();
    this.#typing = undefined;
    if (!agent) return;
    this.#typing = h("div", { class: "turn typing" }, face(agent), h("p", { class: "said" }, h("span", { class: "unseen" }, this.chat.text("typing", { name: agent.name })), h("i"), h("i"), h("i")));
    this.#beside.before(this.#typing);
    this.#over = setTimeout(() => this.typing(null), STOPPED);
    this.shown();
  }

  read() {
    const upto = Number(this.chat.talk?.read_upto || 0);
    const mine = this.chat.messages.findLast((one) => one.from === "me" && Number(one.id) <= upto);
    for (const old of this.#log.querySelectorAll(".read")) old.remove();
    if (mine) this.#log.querySelector(`[data-message="${mine.id}"] .meta`)?.append(h("span", { class: "read" }, `, ${this.chat.text("read")}`));
  }

  /** The talk is somewhere else now: who has it, how long it takes, what is asked. */
  changed() {
    const { chat } = this, { talk, home } = chat;
    const agent = talk?.agent ?? null, name = agent?.name ?? home!.name;
    const beneath = agent ? (talk?.queue ?? "") : home!.state, choices = this.#choices();
    const head = [name, beneath, agent?.name, ...choices.map(([words]) => words)].join("\n");
    if (head !== this.#headed) this.#head.replaceChildren(bar(chat, name, beneath, agent, choices)); // an open menu stays open
    this.#headed = head;
    this.#log.setAttribute("aria-label", chat.text("log", { name }));
    this.#area.placeholder = agent ? chat.text("write.to", { name: agent.name }) : chat.text("write");
    this.#area.setAttribute("aria-label", chat.text("message"));
    const phase = `${talk?.id} ${talk?.phase} ${agent?.name} ${talk?.place}`;
    if (this.#phase && phase !== this.#phase && talk) chat.say(talk.phase === "talking" && agent ? chat.text("here", { name: agent.name }) : talk.phase === "ended" ? chat.text("ended") : talk.place ? chat.text("place.words", { n: talk.place }) : "");
    this.#phase = phase;
    if (this.#beside.querySelector("form")?.contains((this.#beside.getRootNode() as ShadowRoot).activeElement)) return; // somebody writes there
    this.#beside.replaceChildren();
    if (talk?.phase === "waiting") this.#wait();
    else if (talk?.phase === "mail") {
      this.#beside.append(h("p", { class: "event" }, h("span", {}, talk.mailbox ? chat.text("mail.known", { mailbox: talk.mailbox }) : chat.text("mail.unknown"))));
      if (talk.wants_mailbox) this.#beside.append(mailboxForm(chat, false));
    } else if (talk?.phase === "ended") {
      this.#beside.append(h("p", { class: "event" }, h("span", {}, chat.text(talk.ended_by === "idle" ? "ended.idle" : "ended"))));
      if (talk.survey) this.#beside.append(surveyForm(chat, talk.survey));
    }
    this.read();
    this.shown();
  }

  #wait() {
    const { chat } = this, talk = chat.talk!;
    this.#beside.append(h("div", { class: "place" }, talk.place !== null && h("p", {}, chat.text("place")), talk.place !== null && h("b", {}, String(talk.place)),
      h("p", {}, talk.wait ? chat.text("wait", { wait: talk.wait.words }) : chat.text("wait.unknown"))),
    h("ul", { class: "rows" }, h("li", {}, h("button", { type: "button", onclick: () => chat.show("mailbox", "instead") }, icon("mail"), h("span", {}, chat.text("by.mail")), icon("next"))),
      chat.home!.calls_back && h("li", {}, h("button", { type: "button", onclick: () => chat.show("mailbox", "call") }, icon("phone"), h("span", {}, chat.text("call.back")), icon("next"))),
      ...chat.home!.links.map((one) => h("li", {}, link(h("a", {}, h("span", {}, one.words), icon("next")), one.url)))));
  }

  /** What the menu offers now. */
  #choices(): [string, () => void][] {
    const { chat } = this, { talk } = chat, found: [string, () => void][] = [];
    if (!talk) return found;
    if (chat.home!.transcripts) found.push([chat.text("copy"), () => chat.show("mailbox", "transcript")]);
    if (chat.home!.verifies_by_mail && chat.me?.verification === "none") found.push([chat.text("prove"), () => chat.show("mailbox", "prove")]);
    if (talk.in_flow) found.push([chat.text("elsewhere"), () => void chat.wire.ask("elsewhere", {}).catch(() => chat.say(chat.text("failed")))]);
    if (talk.phase !== "ended") found.push([chat.text("end"), () => void chat.wire.ask<{ talk: typeof talk }>("end", {}).then((told) => {
      chat.talk = told.talk;
      this.changed();
    }).catch(() => chat.say(chat.text("failed")))]);
    return found;
  }

  #types() {
    const { chat } = this;
    chat.memory.keep({ draft: this.#area.value });
    if (!chat.talk || chat.talk.phase === "ended") return;
    clearTimeout(this.#stopped);
    const tell = (on: boolean) => void chat.wire.ask("typing", { on }).catch(() => undefined);
    if (Date.now() - this.#typed > TYPING) {
      this.#typed = Date.now();
      tell(true);
    }
    this.#stopped = setTimeout(() => tell(false), STOPPED);
  }

  #attach(files: File[]) {
    const { most, largest } = this.chat.home!.files;
    const kept = [...this.#files, ...files].slice(0, most);
    if (kept.reduce((sum, one) => sum + one.size, 0) > largest) return this.refused({ id: "", text: "" }, this.chat.text("large", { limit: Math.floor(largest / 1048576) }));
    this.#files = kept;
    this.#held.replaceChildren(...kept.map((one) => h("span", { class: "file" }, icon("clip"), one.name,
      sign("close", this.chat.text("remove", { name: one.name }), () => { this.#files = this.#files.filter((other) => other !== one); this.#attach([]); }))));
  }

  #send() {
    const text = this.#area.value.trim();
    if (!text && !this.#files.length) return;
    clearTimeout(this.#stopped);
    this.#typed = 0;
    this.#area.value = "";
    const files = this.#files;
    this.#files = [];
    this.#held.replaceChildren();
    this.chat.send(text, files);
    this.#area.focus();
  }

  #turn(one: Message): HTMLElement {
    const { chat } = this, mine = one.from === "me";
    if (one.from === "us" && one.hint === null && !one.card && !one.files.length) return h("p", { class: "event", "data-message": one.id }, h("span", {}, ...linked(one.text)));
    const at = new Date(one.at), time = at.toLocaleTimeString(chat.home!.language, { hour: "numeric", minute: "2-digit" });
    return h("div", { class: mine ? "turn mine" : "turn", "data-message": one.id }, !mine && face(one.agent),
      one.card ? this.#card(one) : one.html ? h("div", { class: "said rich" }, ...safe(one.html, chat.wire.base)) : one.text && h("p", { class: "said" }, ...linked(one.text)),
      one.hint && h("p", { class: "soft" }, one.hint),
      ...one.files.map((file) => h("button", { type: "button", class: "file", onclick: () => void this.#fetch(file) }, icon("clip"), file.name)),
      one.replies.length > 0 && !chat.messages.slice(chat.messages.indexOf(one) + 1).some((later) => later.from === "me" || later.replies.length) && h("div", { class: "replies" }, ...one.replies.map((words) => h("button", { type: "button", onclick: (event: Event) => {
        (event.target as HTMLElement).parentElement?.remove();
        chat.send(words);
      } }, words))),
      h("p", { class: "meta" }, one.agent && `${one.agent.name}, `, h("time", { datetime: one.at, title: at.toLocaleString(chat.home!.language) }, time)));
  }

  #card(one: Message): HTMLElement {
    const { chat } = this, card = one.card!;
    const inside = [h("small", {}, icon("book"), chat.text(card.kind === "article" ? "answer" : "page")), h("b", {}, card.title), card.extract && h("span", { class: "soft" }, card.extract)];
    return card.slug ? h("button", { type: "button", class: "pushed", onclick: () => chat.show("article", card.slug) }, ...inside) : link(h("a", { class: "pushed" }, ...inside), card.url);
  }

  /** A file, asked for with the token and given to the browser. */
  async #fetch(file: Piece) {
    const answer = await fetch(`${this.chat.wire.base}files/${file.id}`, { headers: { Authorization: `Bearer ${this.chat.memory.token}` }, credentials: "omit" });
    if (!answer.ok) return this.chat.say(this.chat.text("failed"));
    const href = URL.createObjectURL(await answer.blob());
    h("a", { href, download: file.name }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
  }
}
