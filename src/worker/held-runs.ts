// The runs that this worker answers for: executing, or ended and not yet stored. Heartbeats and registrations tell them to the engine.
import type { Assignment } from "../protocol/assignment.ts";
import type { Executing, Stop } from "../protocol/messages.ts";
import type { Attempt } from "./attempt.ts";

type Named = Pick<Assignment, "key" | "turn" | "origin">;

/** Names one attempt for ever: the origin tells a run from a later one of the same id. */
export const tokenOf = ({ key, turn, origin }: Named): string => `${key}#${turn}@${origin}`;
const rememberedTokens = 10_000;
/** Bytes of an {@link Executing} in a message, without its key: the names, and numbers of usual length. */
const listedBytes = 90;

export class HeldRuns {
  readonly #attempts = new Map<string, Attempt>();
  /** Lately stored ones in two generations, so that a doubled assignment is not executed a second time. */
  #done = new Set<string>();
  #doneBefore = new Set<string>();
  #bytes = 0;

  get size(): number {
    return this.#attempts.size;
  }

  /** About what {@link list} takes in a message; a heartbeat that outgrows the server's limit would never arrive. */
  get bytes(): number {
    return this.#bytes;
  }

  has(token: string): boolean {
    return this.#attempts.has(token) || this.#done.has(token) || this.#doneBefore.has(token);
  }

  all(): Iterable<Attempt> {
    return this.#attempts.values();
  }

  add(token: string, attempt: Attempt): void {
    this.#attempts.set(token, attempt);
    this.#bytes += bytesOf(attempt);
  }

  /** Its outcome is stored. */
  release(token: string): void {
    const attempt = this.#attempts.get(token);
    if (attempt === undefined) return;
    this.#attempts.delete(token);
    this.#bytes -= bytesOf(attempt);
    this.#done.add(token);
    if (this.#done.size < rememberedTokens) return;
    this.#doneBefore = this.#done;
    this.#done = new Set();
  }

  /** The attempts that are meant, each with its reason. One pass, however many shall stop. */
  named(stops: readonly Stop[]): { readonly attempt: Attempt; readonly reason: string }[] {
    if (stops.length === 0) return [];
    const reasons = new Map(stops.map(({ key, turn, reason }) => [`${key}#${turn}`, reason]));
    const found: { attempt: Attempt; reason: string }[] = [];
    for (const attempt of this.#attempts.values()) {
      const reason = reasons.get(`${attempt.assignment.key}#${attempt.assignment.turn}`);
      if (reason !== undefined) found.push({ attempt, reason });
    }
    return found;
  }

  list(): Executing[] {
    return Array.from(this.#attempts.values(), ({ assignment, startedAt }) => ({
      key: assignment.key,
      turn: assignment.turn,
      origin: assignment.origin,
      startedAt,
    }));
  }
}

const bytesOf = (attempt: Attempt): number => attempt.assignment.key.length + listedBytes;
