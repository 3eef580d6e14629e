/** The views beside the talk: home with its search, what is asked first, a mailbox, an article. */

import type { Chat } from "./chat";
import { face } from "./chat";
import { type Child, h, icon, link, marked, safe, sign } from "./dom";
import { type Agent, type Field, type Hello, type Hit, Refused, type Survey, type Talk } from "./wire";

const PATIENCE = 250; // ms after the last key before a search is made

/** The head of every view but home: back, who, what else, close. */
export function bar(chat: Chat, name: string, beneath: string, agent: Agent | null = null, choices: [string, () => void][] = []): HTMLElement {
  const list = h("ul", { hidden: true }, ...choices.map(([words, does]) => h("li", {}, h("button", { type: "button", class: "item", onclick: does }, words))));
  const more = sign("more", chat.text("more"), () => {
    list.hidden = !list.hidden;
    more.setAttribute("aria-expanded", String(!list.hidden));
  });
  more.setAttribute("aria-expanded", "false");
  return h("header", { class: "bar" }, sign("back", chat.text("back"), () => chat.show("home")), agent && face(agent),
    h("div", { class: "who" }, h("h3", {}, name), beneath && h("p", { class: "soft" }, beneath)),
    choices.length > 0 && h("div", { class: "menu" }, more, list), sign("close", chat.text("close"), () => chat.close()));
}

export function home(chat: Chat): HTMLElement {
  const it = chat.home!, { talk } = chat, last = chat.messages.at(-1);
  const on = talk && talk.phase !== "ended";
  const logo = it.logo && h("img", { src: it.logo, alt: "" });
  return h("div", { class: "home scroll", tabindex: "0", role: "region", "aria-label": it.name },
    h("div", { class: "greeting" }, h("div", { class: "top" }, logo || h("b", {}, it.name), h("span", { class: "team", "aria-hidden": "true" }, ...it.team.slice(0, 3).map(face)),
      sign("close", chat.text("close"), () => chat.close())), h("h2", {}, it.greeting)),
    h("div", { class: "cards" },
      it.closed_words && h("p", { class: "card" }, it.closed_words),
      on && h("div", { class: "card rows" }, h("button", { type: "button", "data-first": true, onclick: () => chat.show("talk") }, face(talk.agent), h("span", {}, h("b", {}, talk.subject || chat.text("talk")),
        last && h("small", {}, last.text.slice(0, 90))), chat.unread > 0 && h("b", {}, chat.text("new", { n: chat.unread })), icon("next"))),
      h("div", { class: "card" }, h("p", {}, h("span", { class: `dot ${it.open && it.staffed ? "good" : ""}` }, it.state), it.usual && ` ${chat.text("usual", { time: it.usual })}`),
        !on && h("button", { type: "button", class: "go", "data-first": true, onclick: () => chat.start() }, icon(it.staffed ? "chat" : "mail"), chat.text(it.staffed ? "start" : "leave")),
        it.links.length > 0 && h("ul", { class: "rows" }, ...it.links.map((one) => h("li", {}, link(h("a", {}, h("span", {}, one.words), icon("next")), one.url))))),
      it.search && find(chat)));
}

/** Search as one types; the newest answer counts. */
export function find(chat: Chat): HTMLElement {
  const list = h("ul", { class: "rows" }), told = h("p", { class: "unseen", role: "status" });
  let timer: ReturnType<typeof setTimeout> | undefined, newest = 0;
  const search = async (words: string) => {
    const mine = ++newest;
    if (words.trim().length < 2) return list.replaceChildren();
    try {
      await chat.meet();
      const { hits } = await chat.wire.ask<{ hits: Hit[] }>(`find?q=${encodeURIComponent(words)}&language=${chat.home!.language}`);
      if (mine !== newest) return;
      list.replaceChildren(...hits.slice(0, 6).map((one) => h("li", {}, h("button", { type: "button", onclick: () => chat.show("article", one.slug) },
        icon("book"), h("span", {}, ...marked(one.title), h("small", {}, ...marked(one.extract))), icon("next")))));
      if (!hits.length) list.append(h("li", { class: "soft" }, chat.text("found.nothing")));
      told.textContent = chat.text("found", { n: hits.length });
    } catch { /* the next key asks again */ }
  };
  const input = h("input", { class: "input", type: "search", autocomplete: "off", maxlength: 200, placeholder: chat.text("search"), "aria-label": chat.text("search"), oninput: () => {
    clearTimeout(timer);
    timer = setTimeout(() => void search(input.value), PATIENCE);
  } });
  return h("div", { class: "card" }, input, list, told);
}

export async function article(chat: Chat, panel: HTMLElement, slug: string) {
  const body = h("article", { class: "article scroll", tabindex: "0" }, h("p", { class: "soft", role: "status" }, chat.text("loading")));
  panel.append(bar(chat, chat.text("answer"), ""), body);
  try {
    await chat.meet();
    const told = await chat.wire.ask<{ title: string; html: string; url: string }>(`articles/${encodeURIComponent(slug)}?language=${chat.home!.language}`);
    body.replaceChildren(h("h2", {}, told.title), ...safe(told.html, chat.wire.base), told.url && h("p", {}, link(h("a", {}, chat.text("whole")), told.url, chat.wire.base)),
      verdict(chat, slug));
  } catch {
    body.replaceChildren(h("p", { role: "alert" }, chat.text("failed")));
  }
}

/** Did it help? Yes ends the search, no leads to the talk; while one goes on, both lead back to it. */
function verdict(chat: Chat, slug: string): HTMLElement {
  const on = chat.talk && chat.talk.phase !== "ended";
  const go = () => (on ? chat.show("talk") : chat.start());
  const vote = (helped: boolean) => chat.wire.ask(`articles/${encodeURIComponent(slug)}/helped?language=${chat.home!.language}`, { helped, instead: !on });
  const wrong = h("p", { class: "wrong", role: "alert" });
  const choice = (key: string, name: "check" | "chat", does: () => void) => h("button", { type: "button", class: "quiet", onclick: does }, icon(name), chat.text(key));
  const whole = h("section", { class: "verdict", "aria-labelledby": "v" }, h("h3", { id: "v" }, chat.text("helped")), h("p", {}, choice("helped.yes", "check", () => {
    vote(true).then(() => {
      const over = h("button", { type: "button", class: "go", onclick: () => (on ? go() : chat.close()) }, chat.text(on ? "talk" : "close"));
      whole.replaceChildren(h("h3", { id: "v" }, chat.text("helped.thanks")), over);
      chat.say(chat.text("helped.thanks"));
      over.focus();
    }).catch(() => (wrong.textContent = chat.text("failed")));
  }), choice("helped.no", "chat", () => {
    vote(false).catch(() => undefined);
    go();
  })), wrong);
  return whole;
}

function field(one: Field, id: string): Child[] {
  const facts = { id, name: one.name, required: one.required, class: "input" };
  if (one.kind === "long text") return [h("label", { for: id }, one.label), h("textarea", facts)];
  if (one.kind === "choice") return [h("label", { for: id }, one.label), h("select", facts, h("option", { value: "" }, ""), ...one.choices.map((text) => h("option", {}, text)))];
  if (one.kind === "yes/no") return [h("label", { class: "choice" }, h("input", { type: "checkbox", name: one.name, value: "yes" }), one.label)];
  const type = ({ mailbox: "email", date: "date", number: "number" } as Record<string, string>)[one.kind] ?? "text";
  return [h("label", { for: id }, one.label), h("input", { ...facts, type, autocomplete: one.kind === "mailbox" ? "email" : one.name === "name" ? "name" : "off" })];
}

/** What the line wants to know before a talk. */
export function questions(chat: Chat, panel: HTMLElement) {
  const form = h("form", { class: "sheet scroll", onsubmit: (event: Event) => {
    event.preventDefault();
    chat.answers = Object.fromEntries([...new FormData(form)].filter(([, value]) => typeof value === "string" && value !== "") as [string, string][]);
    chat.show("talk");
  } }, ...chat.home!.fields.map((one, n) => h("div", {}, ...field(one, `f${n}`))), h("button", { class: "go" }, chat.text("go.on")));
  panel.append(bar(chat, chat.text("start"), chat.home!.state), form);
}

/** A mailbox: for answers, for a copy of the talk, or to show who one is by a code; or a number to be called at. */
export function mailbox(chat: Chat, panel: HTMLElement, why: string) {
  const title = { instead: "by.mail", call: "call.back", transcript: "copy", prove: "prove" }[why] ?? "by.mail";
  panel.append(bar(chat, chat.text(title), ""), h("div", { class: "scroll" }, mailboxForm(chat, why === "instead", why)));
}

export function mailboxForm(chat: Chat, instead: boolean, why = ""): HTMLElement {
  const wrong = h("p", { class: "wrong", role: "alert" });
  const calls = why === "call";
  const box = h("input", { class: "input", type: calls ? "tel" : "email", name: calls ? "number" : "mailbox", id: "m", required: true, autocomplete: calls ? "tel" : "email" });
  const act = async () => {
    if (why === "transcript") await chat.wire.ask("transcript", { mailbox: box.value });
    else if (why === "prove") {
      await chat.wire.ask("code", { mailbox: box.value });
      return form.replaceWith(codeForm(chat, box.value));
    } else if (calls) chat.talk = (await chat.wire.ask<{ talk: Talk }>("callback", { number: box.value })).talk;
    else chat.talk = (await chat.wire.ask<{ talk: Talk }>("mailbox", { mailbox: box.value, instead })).talk;
    chat.say(chat.text("done"));
    chat.show("talk");
  };
  const form = h("form", { class: "sheet", onsubmit: (event: Event) => {
    event.preventDefault();
    act().catch((error) => (wrong.textContent = error instanceof Refused ? error.fields[box.name] ?? error.message : chat.text("failed")));
  } }, h("div", {}, h("label", { for: "m" }, chat.text(box.name)), box), wrong, h("button", { class: "go" }, icon(calls ? "phone" : "mail"), chat.text(why === "prove" ? "code.send" : "ok")));
  return form;
}

function codeForm(chat: Chat, mailbox: string): HTMLElement {
  const wrong = h("p", { class: "wrong", role: "alert" });
  const code = h("input", { class: "input", id: "c", inputmode: "numeric", autocomplete: "one-time-code", maxlength: 7, required: true });
  const form = h("form", { class: "sheet", onsubmit: (event: Event) => {
    event.preventDefault();
    chat.wire.ask<Hello>("code/check", { mailbox, code: code.value }).then((told) => {
      chat.proved(told);
      chat.show("talk");
    }).catch((error) => (wrong.textContent = error instanceof Refused ? error.message : chat.text("failed")));
  } }, h("div", {}, h("label", { for: "c" }, chat.text("code", { mailbox })), code), wrong, h("button", { class: "go" }, chat.text("ok")));
  return form;
}

/** How was it? Numbers with words at their ends. */
export function surveyForm(chat: Chat, survey: Survey): HTMLElement {
  const wrong = h("p", { class: "wrong", role: "alert" });
  const words = h("textarea", { class: "input", id: "s", maxlength: 2000 });
  const numbers = Array.from({ length: survey.high - survey.low + 1 }, (_none, n) => String(survey.low + n));
  const form = h("form", { class: "sheet card", onsubmit: (event: Event) => {
    event.preventDefault();
    const score = Number(new FormData(form).get("score"));
    chat.wire.ask("survey", { token: survey.token, score, words: words.value }).then(() => {
      form.replaceWith(h("p", { class: "event", role: "status" }, h("span", {}, chat.text("thanks"))));
    }).catch((error) => (wrong.textContent = error instanceof Refused ? error.message : chat.text("failed")));
  } }, h("fieldset", {}, h("legend", {}, survey.question), ...numbers.map((one, n) => h("label", { class: "choice" }, h("input", { type: "radio", name: "score", value: one, required: true }), one,
    n === 0 && ` – ${survey.low_words}`, n === numbers.length - 1 && ` – ${survey.high_words}`))),
  h("div", {}, h("label", { for: "s" }, chat.text("survey.words")), words), wrong, h("button", { class: "go" }, chat.text("ok")));
  return form;
}
