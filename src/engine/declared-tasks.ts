// What workers declared of their tasks to this leader or one before it. Without it a new leader knows no timeout until a worker registers.
import type { Log } from "../domain/log.ts";
import type { Definitions } from "../nats/definitions.ts";
import { readable } from "../nats/stored-records.ts";
import type { TaskDeclaration } from "../wire/messages.ts";
import { isDeclaredTask } from "../wire/registration.ts";
import { type Term, untilStored } from "./term.ts";

const prefix = "task.";
/** Ten thousand tasks in one registration must not be ten thousand requests at once: the renewal of the lease would wait behind them. */
const storedAtOnce = 16;

export class DeclaredTasks {
  readonly #definitions: Definitions;
  readonly #log: Log;
  /** As JSON, by task: what the bucket has, as far as this engine knows. */
  #stored = new Map<string, string>();
  /** The newest declaration of each task that has yet to be stored. */
  readonly #waiting = new Map<string, string>();
  #storing = 0;
  #term: Term = { isCurrent: () => false };

  constructor(definitions: Definitions, log: Log) {
    this.#definitions = definitions;
    this.#log = log;
  }

  /** A record that is not understood is as good as none. Fails: {@link StoreUnavailable} */
  async load(): Promise<readonly TaskDeclaration[]> {
    const records = readable(await this.#definitions.readAll(prefix), isDeclaredTask, this.#log);
    this.#stored = new Map(records.map(({ key, record }) => [key.slice(prefix.length), JSON.stringify(record)]));
    return records.map(({ record }) => record);
  }

  /** Stores what is new in them, while this engine leads. */
  store(tasks: readonly TaskDeclaration[], term: Term): void {
    this.#term = term;
    for (const task of tasks) {
      const text = JSON.stringify(task);
      if (this.#stored.get(task.name) !== text) this.#waiting.set(task.name, text);
      else this.#waiting.delete(task.name);
    }
    while (this.#storing < Math.min(storedAtOnce, this.#waiting.size)) void this.#storeSome();
  }

  /** What a later leader finds waiting it is told again: workers register with it. */
  async #storeSome(): Promise<void> {
    this.#storing++;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const [name, text] = next;
      const term = this.#term;
      const put = () => this.#definitions.put(prefix + name, JSON.parse(text));
      try {
        await untilStored(term, this.#log, `the definition of task "${name}"`, put);
        if (term.isCurrent()) this.#stored.set(name, text);
      } catch (error) {
        this.#log.error("a task definition cannot be stored", { task: name, error });
      }
    }
    this.#storing--;
  }

  #next(): [string, string] | undefined {
    for (const next of this.#waiting) {
      this.#waiting.delete(next[0]);
      return next;
    }
    return undefined;
  }
}
