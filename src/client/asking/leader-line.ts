// The line to the leading engine: it sends requests, and tells when another engine leads. All parts of a client share it.

import { PermissionDenied } from "../../domain/errors.ts";
import { deniedSubject } from "../../nats/ask-store.ts";
import type { NatsLink } from "../../nats/link.ts";
import { listen } from "../../nats/listen.ts";
import { request } from "../../nats/request.ts";
import { type ErrorReply, errorOfReply, parseJson } from "../../wire/messages.ts";
import type { Subjects } from "../../wire/subjects.ts";
import type { Replies } from "../../wire/verbs.ts";

/** The result of one request: an answer, an error from the engine, or none, which may be different next time. */
export type Reply<V extends keyof Replies> =
  | { readonly kind: "answer"; readonly answer: Replies[V] }
  | { readonly kind: "error"; readonly error: ErrorReply["error"] }
  | { readonly kind: "none"; readonly reason: string };

/** After this long a request is sent again: a suspended engine receives requests and never answers. Units: milliseconds */
const answerMs = 5_000;

export class LeaderLine {
  readonly link: NatsLink;
  readonly #subjects: Subjects;
  readonly #listeners = new Set<() => void>();
  readonly #end: (() => void)[];

  constructor(link: NatsLink, subjects: Subjects) {
    this.link = link;
    this.#subjects = subjects;
    const changed = () => this.#changed();
    this.#end = [listen(link, subjects.epoch, changed), link.onReconnect(changed)];
  }

  /** Calls back when another engine leads, and after a reconnect. Returns a function that stops it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Asks once, and waits up to `mostMs`; not if another engine takes over meanwhile, since the one that was asked may be gone. Fails: PermissionDenied */
  async ask<V extends keyof Replies>(verb: V, message: Uint8Array, mostMs = answerMs): Promise<Reply<V>> {
    if (!this.link.isConnected()) return { kind: "none", reason: "not connected to NATS" };
    const subject = this.#subjects.engine(verb);
    try {
      const reply = await this.#unlessChanged(
        request(this.link, subject, message, { timeout: Math.min(mostMs, answerMs) }),
      );
      const answer = parseJson(reply.data, `${verb} reply`);
      const error = errorOfReply(answer);
      return error === undefined ? { kind: "answer", answer: answer as Replies[V] } : { kind: "error", error };
    } catch (cause) {
      const denied = deniedSubject(cause);
      if (denied !== undefined)
        throw new PermissionDenied({ subject: denied, reason: "this user may not send requests to engines" });
      return { kind: "none", reason: (cause as Error).message };
    }
  }

  /** Resolves when another engine leads, or after `ms`. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        end();
        resolve();
      };
      const timer = setTimeout(finish, ms);
      const end = this.onChange(finish);
    });
  }

  close(): void {
    for (const end of this.#end) end();
    this.#listeners.clear();
  }

  #unlessChanged<T>(asked: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = this.onChange(() => reject(new Error("another engine leads now")));
      asked.then(resolve, reject).finally(end);
    });
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
