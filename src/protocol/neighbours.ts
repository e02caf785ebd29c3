import type { AssignmentReply } from "./assignment.ts";

/**
 * The workers of this process, by id: its engine hands them assignments directly, since a message to oneself through the server costs
 * both sides and the server. Everything else, and every outcome, takes the way that all workers take.
 */
export class Neighbours {
  readonly #accept = new Map<string, (message: Uint8Array) => AssignmentReply>();

  /** `accept` takes an assignment message and answers it; returns the function that ends it. */
  add(worker: string, accept: (message: Uint8Array) => AssignmentReply): () => void {
    this.#accept.set(worker, accept);
    return () => this.#accept.delete(worker);
  }

  /** The answer of a worker that lives here; undefined when it does not. Throws what the worker throws. */
  assign(worker: string, message: Uint8Array): AssignmentReply | undefined {
    return this.#accept.get(worker)?.(message);
  }
}
