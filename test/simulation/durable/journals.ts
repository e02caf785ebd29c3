// The journals as their store keeps them, and what must hold of every message that is appended.
import { type Delivery, evaluate, type Program, type Start } from "./programs.ts";

export interface Message {
  readonly seq: number;
  readonly turn: number;
  readonly attempt: number;
  readonly number: number;
  readonly begun?: boolean;
  readonly lap?: Start;
  readonly deliveries: readonly Delivery[];
}
export interface Written extends Omit<Message, "seq"> {
  readonly key: string;
  readonly origin: number;
  readonly task: string;
  readonly createdAt: number;
  /** Last sequence of the journal, as the writer knows it. */
  readonly after: number;
}

/** What the journal of a run says as a whole, whatever laps have left of it. */
export interface Story {
  turn: number;
  attempt: number;
  start: Start;
  deliveries: readonly Delivery[];
  /** By name of a signal: the last one that was taken. */
  readonly taken: Map<string, number>;
}

export class Journals {
  readonly #messages = new Map<number, readonly Message[]>();
  /** As they were before the newest appends. */
  readonly #earlier = new Map<number, readonly (readonly Message[])[]>();
  readonly #keys = new Map<number, string>();
  readonly #stories = new Map<number, Story>();
  readonly #purged = new Set<number>();
  readonly #programs: ReadonlyMap<string, Program>;
  #seq = 0;
  appended = 0;
  laps = 0;
  /** Turns in which another attempt had written before. */
  fenced = 0;
  /** Looks at each delivery before it stands in its journal. */
  readonly #check: (written: Written, story: Story, delivery: Delivery) => void;

  constructor(
    programs: ReadonlyMap<string, Program>,
    check: (written: Written, story: Story, delivery: Delivery) => void,
  ) {
    this.#programs = programs;
    this.#check = check;
  }
  get size(): number {
    return this.#messages.size;
  }
  get names(): { readonly key: string; readonly origin: number }[] {
    return Array.from(this.#messages.keys(), (origin) => ({ key: this.#keys.get(origin)!, origin }));
  }
  of(origin: number): readonly Message[] {
    return this.#messages.get(origin) ?? [];
  }
  /** As a replica that lags may show it, if it has the message at `reaches`. */
  laggingOf(origin: number, reaches: number, lag: number): readonly Message[] {
    const seen = this.#earlier.get(origin)?.at(-lag) ?? this.of(origin);
    return (seen.at(-1)?.seq ?? 0) >= reaches ? seen : this.of(origin);
  }
  story(origin: number, createdAt: number): Story {
    const story = this.#stories.get(origin);
    if (story !== undefined) return story;
    return { turn: 0, attempt: 0, start: { lap: 1, T: createdAt, cursors: {} }, deliveries: [], taken: new Map() };
  }
  /** One message is left, which belongs to no turn. */
  close(key: string, origin: number): void {
    const turn = Number.POSITIVE_INFINITY;
    this.#keys.set(origin, key);
    this.#earlier.delete(origin);
    this.#messages.set(origin, [{ seq: ++this.#seq, turn, attempt: 0, number: 0, deliveries: [] }]);
  }
  purge(origin: number): void {
    this.#messages.delete(origin);
    this.#purged.add(origin);
  }
  /** A compare-and-set append: the sequence, or undefined. */
  append(written: Written): number | undefined {
    const { origin, after, turn, attempt, number, begun, lap, deliveries } = written;
    const messages = this.of(origin);
    if ((messages.at(-1)?.seq ?? 0) !== after) return undefined;
    if (this.#purged.has(origin)) throw new Error(`an attempt begins the purged journal of ${written.key} again`);
    this.#read(written);
    const message = {
      ...{ seq: ++this.#seq, turn, attempt, number, deliveries },
      ...(begun !== undefined && { begun }),
      ...(lap !== undefined && { lap }),
    };
    this.#earlier.set(origin, [...(this.#earlier.get(origin) ?? []), messages].slice(-3));
    this.#messages.set(origin, lap !== undefined ? [message] : [...messages, message]);
    this.appended++;
    return message.seq;
  }

  #read(written: Written): void {
    const { key, origin, turn, attempt, task, createdAt, lap, deliveries } = written;
    const story = this.story(origin, createdAt);
    this.#stories.set(origin, story);
    this.#keys.set(origin, key);
    if (turn < story.turn)
      throw new Error(`turn ${turn} was appended after turn ${story.turn} to the journal of ${key}`);
    if (turn === story.turn && attempt !== story.attempt)
      throw new Error(`two attempts appended in turn ${turn} of ${key}`);
    if (turn > story.turn && story.turn > 0) this.fenced++;
    story.turn = turn;
    story.attempt = attempt;
    const program = this.#programs.get(task)!;
    for (const delivery of deliveries) {
      this.#check(written, story, delivery);
      story.deliveries = [...story.deliveries, delivery];
      if (evaluate(program, story.start, story.deliveries).at === "diverged")
        throw new Error(`the journal of ${key} diverges at ${JSON.stringify(delivery)}`);
    }
    if (lap === undefined) return;
    if (evaluate(program, story.start, story.deliveries).at !== "lap" || lap.lap !== story.start.lap + 1)
      throw new Error(`a lap of ${key} ends where its journal does not`);
    story.start = lap;
    story.deliveries = [];
    this.laps++;
  }
}
