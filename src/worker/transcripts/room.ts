// Space for chunks: `ctx.stream` waits for it while too much is on its way.
import { type Deferred, deferred } from "../../runtime/deferred.ts";

export class Room {
  #awaited: Deferred<void> | undefined;

  /** Resolves when there is some; a rejection that nobody awaits is not reported as unhandled. */
  wait(): Promise<void> {
    if (this.#awaited === undefined) {
      this.#awaited = deferred();
      this.#awaited.promise.catch(() => {});
    }
    return this.#awaited.promise;
  }

  /** Lets those that wait continue; with an `error`, they fail because there will be no room. */
  open(error?: Error): void {
    if (error === undefined) this.#awaited?.resolve();
    else this.#awaited?.reject(error);
    this.#awaited = undefined;
  }
}
