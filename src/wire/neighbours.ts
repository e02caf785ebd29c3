// Neighbours: the workers in the process of an engine, which need no messages through the server.
import type { Turn } from "../domain/run.ts";
import type { Assignment, AssignmentMessage, AssignmentReply } from "./assignment.ts";

export interface Neighbour {
  /** Accepts assignments, answers at once, and executes them later. */
  readonly accept: (delivery: AssignmentMessage) => AssignmentReply;
  readonly isConnected: () => boolean;
  /** The engine does not know whether it still leads; the worker has to find out. */
  readonly onDoubt: () => void;
}

/**
 * The workers of this process, by id. Its engine hands them assignments directly, sees that they are connected, and tells them which of
 * their outcomes it has read in the log, since a message to oneself would cost both sides and the server. Everything else, including
 * every outcome, goes the same way as for all other workers.
 */
export class Neighbours {
  readonly #all = new Map<string, Neighbour>();
  /** Called by a worker of this process when the code of attempts has ended, and their outcomes are on their way. Set by the engine. */
  onEnded: ((worker: string, attempts: readonly Turn[]) => void) | undefined = undefined;

  /** Whether the engine of this process leads, and reads the log. Set by the engine. */
  isListening: () => boolean = () => false;
  /** Whether the engine of this process surely leads, by its own clock: after a suspension it must find out first who does. Set by the engine. */
  holdsLease: () => boolean = () => true;
  readonly #watched = new Map<string, (seq: number) => void>();

  /** Adds a worker. Returns the function that removes it. */
  add(worker: string, neighbour: Neighbour): () => void {
    this.#all.set(worker, neighbour);
    return () => this.#all.delete(worker);
  }

  /** Hands assignments to a worker of this process and returns its answer; undefined if the worker is elsewhere. Throws what the worker throws. */
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

  /** The engine of this process has read an entry in the log. */
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
