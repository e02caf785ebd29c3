import type { Turn } from "../domain/run.ts";
import type { Assignment, AssignmentMessage, AssignmentReply } from "./assignment.ts";

export interface Neighbour {
  /** Accepts assignments and answers at once; executes them later. */
  readonly accept: (delivery: AssignmentMessage) => AssignmentReply;
  readonly isConnected: () => boolean;
  /** The engine does not know whether it still leads; the worker has to find out. */
  readonly onDoubt: () => void;
}

/**
 * The workers of this process, by id: its engine hands them assignments directly, sees that they are connected, and tells them which of
 * their outcomes it has read in the log: a message to oneself through the server costs both sides and the server. Everything else,
 * including every outcome, goes the same way as for all workers.
 */
export class Neighbours {
  readonly #all = new Map<string, Neighbour>();
  /** Called by a worker in this process: the code of these attempts has ended, their outcomes are on their way. Set by the engine. */
  onEnded: ((worker: string, attempts: readonly Turn[]) => void) | undefined = undefined;

  /** Whether the engine of this process leads, and reads the log. Set by the engine. */
  isListening: () => boolean = () => false;
  /** Whether the engine of this process surely leads, by its own clock: a process that was suspended first finds out who does. Set by the engine. */
  holdsLease: () => boolean = () => true;
  readonly #watched = new Map<string, (seq: number) => void>();

  /** Returns the function that ends it. */
  add(worker: string, neighbour: Neighbour): () => void {
    this.#all.set(worker, neighbour);
    return () => this.#all.delete(worker);
  }

  /** The answer of a worker in this process; undefined if it is elsewhere. Throws what the worker throws. */
  assign(worker: string, epoch: number, assignments: readonly Assignment[]): AssignmentReply | undefined {
    const neighbour = this.#all.get(worker);
    if (neighbour === undefined || this.holdsLease()) return neighbour?.accept({ epoch, assignments });
    neighbour.onDoubt();
    return { epoch, refused: assignments.map((_, i) => i), why: "stale" };
  }

  /** Waits for a log entry and calls `seen` once. Returns the function that stops waiting. */
  watch(subject: string, seen: (seq: number) => void): () => void {
    this.#watched.set(subject, seen);
    return () => this.#watched.delete(subject);
  }

  /** The engine has read an entry. */
  saw(subject: string, seq: number): void {
    const seen = this.#watched.get(subject);
    if (seen === undefined) return;
    this.#watched.delete(subject);
    seen(seq);
  }

  /** Whether a worker is in this process and connected; false says nothing about one elsewhere. */
  isConnected(worker: string): boolean {
    return this.#all.get(worker)?.isConnected() === true;
  }
}
