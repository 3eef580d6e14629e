/** What goes between the widget and the line: plain requests, one stream of events, and messages that are kept until they are taken.
    The contract stands in channels/webchat/README.md. */

export type Agent = { name: string; initials: string; hue: number };
export type Wait = { low: number; high: number; words: string };
export type Piece = { id: string; name: string; kind: string; size: number; picture: boolean };
export type Card = { kind: string; title: string; extract: string; url: string; slug: string; picture: string };
export type Message = {
  id: string; client_id: string; from: "me" | "agent" | "us"; agent: Agent | null; at: string; text: string; html: string;
  files: Piece[]; card: Card | null; replies: string[]; hint: string | null;
};
export type Survey = { token: string; question: string; low: number; high: number; low_words: string; high_words: string };
export type Talk = {
  id: string; phase: "waiting" | "talking" | "mail" | "ended"; subject: string; queue: string; ended_by: string; place: number | null;
  wait: Wait | null; agent: Agent | null; read_upto: string; seen_upto: string; mailbox: string; wants_mailbox: boolean;
  survey: Survey | null; warned: boolean; in_flow: boolean; number: number;
};
export type Field = { name: string; label: string; kind: string; required: boolean; choices: string[] };
export type Home = {
  name: string; greeting: string; notice: string; language: string; colour: string; logo: string; position: string; open: boolean;
  staffed: boolean; state: string; usual: string; closed_words: string; wait: Wait | null; team: Agent[]; fields: Field[];
  files: { most: number; largest: number; kinds: string[] }; longest_text: number; links: { words: string; url: string }[];
  search: boolean; verifies_by_mail: boolean; transcripts: boolean; calls_back: boolean; texts: Record<string, string>;
};
export type Hello = {
  token: string; visitor: string; verification: string; name: string; mailbox: string; talk: Talk | null; messages: Message[];
  position: string; earlier: boolean;
};
export type Hit = { slug: string; title: string; extract: string };
export type Heard =
  | { kind: "talk"; talk: Talk | null } | { kind: "message"; message: Message } | { kind: "typing"; agent: Agent; on: boolean }
  | { kind: "read"; upto: string } | { kind: "token"; token: string } | { kind: "again" };
/** A message on its way. Files live only as long as the page. */
export type Unsent = { id: string; text: string; fields?: Record<string, string>; begins?: boolean; mailbox?: string; files?: File[] };

/** The line said no, and why. `again` is for what may work later, in so many seconds. */
export class Refused extends Error {
  constructor(readonly status: number, readonly code: string, words: string, readonly again: number | null, readonly fields: Record<string, string>) {
    super(words);
  }
}

const QUIET = 60_000; // without a heartbeat for so long, a stream is dead
const LONGEST_PAUSE = 15_000;

export const fresh = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (one) => one.toString(16).padStart(2, "0")).join("");
const pause = (ms: number) => new Promise<void>((done) => {
  const over = () => (removeEventListener("online", over), clearTimeout(timer), done());
  const timer = setTimeout(over, ms);
  addEventListener("online", over);
});

/** What this browser remembers of a line: the token, and what was not taken yet. Without storage it is remembered for this page. */
export class Memory {
  #held: { token?: string; unsent?: Unsent[]; draft?: string; open?: boolean };
  constructor(readonly key: string) {
    try {
      this.#held = JSON.parse(localStorage.getItem(key) ?? "{}");
    } catch {
      this.#held = {};
    }
  }
  get token() { return this.#held.token ?? ""; }
  get unsent() { return this.#held.unsent ?? []; }
  get draft() { return this.#held.draft ?? ""; }
  get open() { return this.#held.open ?? false; }
  keep(facts: { token?: string; unsent?: Unsent[]; draft?: string; open?: boolean }) {
    Object.assign(this.#held, facts);
    try {
      localStorage.setItem(this.key, JSON.stringify(this.#held, (name, value) => (name === "files" ? undefined : value)));
    } catch { /* private mode */ }
  }
}

export class Wire {
  lost = false;
  onLost: () => void = () => {};
  #stream: AbortController | undefined;
  #sending = false;
  #hello: Promise<Hello> | undefined;
  constructor(readonly base: string, readonly memory: Memory, public language: string, public identity: string) {}

  /** One request. Refused when the line says no, TypeError when it cannot be reached. */
  async ask<T>(path: string, body?: unknown, open = false): Promise<T> {
    const headers: Record<string, string> = {};
    if (!open) headers["Authorization"] = `Bearer ${this.memory.token}`;
    const form = body instanceof FormData;
    if (body !== undefined && !form) headers["Content-Type"] = "application/json";
    const answer = await fetch(this.base + path, {
      method: body === undefined ? "GET" : "POST", headers, credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(30_000),
      ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
    });
    if (answer.ok) return (answer.status === 204 ? undefined : await answer.json()) as T;
    const told = await answer.json().catch(() => ({}));
    if (answer.status === 401 && !open) {
      await this.hello(true);
      return this.ask(path, body, open);
    }
    throw new Refused(answer.status, told.error ?? "", told.words ?? "", told.retry_after ?? null, told.fields ?? {});
  }

  home() { return this.ask<Home>(`home?language=${encodeURIComponent(this.language)}`, undefined, true); }

  /** Who we are; asked once, and again when the token is no good any more. */
  hello(again = false): Promise<Hello> {
    if (!this.#hello || again) {
      this.#hello = this.ask<Hello>("hello", { token: this.memory.token, language: this.language, identity: this.identity }, true)
        .then((told) => (this.memory.keep({ token: told.token }), told));
      this.identity = ""; // good for once
      this.#hello.catch(() => (this.#hello = undefined));
    }
    return this.#hello;
  }

  #say(lost: boolean) {
    if (lost === this.lost) return;
    this.lost = lost;
    this.onLost();
  }

  /** Listen from a position on, for as long as the page lives; what was missed comes first. */
  async listen(position: string, heard: (one: Heard) => void) {
    this.silence();
    const mine = (this.#stream = new AbortController());
    for (let failures = 0; !mine.signal.aborted; ) {
      const once = new AbortController();
      const end = () => once.abort();
      mine.signal.addEventListener("abort", end);
      try {
        const answer = await fetch(`${this.base}stream?after=${encodeURIComponent(position)}`, {
          headers: { Authorization: `Bearer ${this.memory.token}` }, credentials: "omit", cache: "no-store", signal: once.signal,
        });
        if (answer.status === 401) await this.hello(true);
        if (!answer.ok || !answer.body) throw new Error(String(answer.status));
        this.#say(false);
        failures = 0;
        for await (const [id, data] of events(answer.body, () => once.abort())) {
          if (id) position = id;
          const one = JSON.parse(data) as Heard;
          if (one.kind === "token") this.memory.keep({ token: one.token });
          else heard(one);
        }
      } catch {
        if (mine.signal.aborted) return;
        failures += 1;
      } finally {
        mine.signal.removeEventListener("abort", end);
      }
      if (failures > 1) this.#say(true);
      await pause(failures ? Math.min(500 * 2 ** failures, LONGEST_PAUSE) * (0.5 + Math.random()) : 100);
    }
  }

  silence() { this.#stream?.abort(); }

  /** Send what is kept, one after the other, until each is taken or refused for good. */
  async send(taken: (id: string) => void, refused: (one: Unsent, why: string) => void) {
    if (this.#sending) return;
    this.#sending = true;
    try {
      for (let failures = 0, one = this.memory.unsent[0]; one; one = this.memory.unsent[0]) {
        const { files, ...said } = one;
        const rest = { ...said, language: this.language, page: { url: location.href, title: document.title } };
        try {
          if (files?.length) {
            const form = new FormData();
            form.set("id", one.id);
            form.set("text", one.text);
            form.set("more", JSON.stringify(rest));
            for (const file of files) form.append("file", file);
            await this.ask("files", form);
          } else await this.ask("messages", rest);
          failures = 0;
          this.#say(false);
          this.#drop(one);
          taken(one.id);
        } catch (error) {
          const later = error instanceof Refused ? error.status === 429 || error.status >= 500 : true;
          if (later) {
            failures += 1;
            if (!(error instanceof Refused)) this.#say(true);
            const asked = error instanceof Refused ? error.again : null;
            await pause(asked !== null ? asked * 1000 : Math.min(500 * 2 ** failures, LONGEST_PAUSE));
          } else {
            this.#drop(one);
            refused(one, (error as Refused).message);
          }
        }
      }
    } finally {
      this.#sending = false;
    }
  }

  #drop(one: Unsent) { this.memory.keep({ unsent: this.memory.unsent.filter((other) => other.id !== one.id) }); }
}

/** The events of a stream as pairs of position and data (HTML standard, server-sent events). */
async function* events(body: ReadableStream<Uint8Array>, dead: () => void): AsyncGenerator<[string, string]> {
  const reader = body.pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>).getReader();
  let held = "", id = "", data = "";
  for (;;) {
    const watch = setTimeout(dead, QUIET);
    const { done, value } = await reader.read().finally(() => clearTimeout(watch));
    if (done) return;
    const lines = (held + value).split(/\r?\n/);
    held = lines.pop()!;
    for (const line of lines) {
      if (!line) {
        if (data) yield [id, data];
        id = data = "";
      } else if (line.startsWith("id:")) id = line.slice(3).trim();
      else if (line.startsWith("data:")) data += (data && "\n") + line.slice(5).trim();
    }
  }
}
