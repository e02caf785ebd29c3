// The stored children of a durable run: ordinary runs in the log, with ids that follow from their parent. Results are read where they are stored.
import { type ChildEnd, childIdOf } from "../../domain/durable.ts";
import { StoreUnavailable } from "../../domain/errors.ts";
import { keyOf } from "../../domain/run.ts";
import type { NatsLink } from "../../nats/link.ts";
import type { Publisher } from "../../nats/publisher.ts";
import { messageAt, messageFromLeader, type StoredMessage } from "../../nats/stored-message.ts";
import type { Vault } from "../../sealing/vault.ts";
import { decodeOutcomeEntry, type Outcome } from "../../wire/outcome-entry.ts";
import { decodeRunEntry, encodeRunEntry } from "../../wire/run-entry.ts";
import type { Subjects } from "../../wire/subjects.ts";
import type { ChildInbox } from "./child-inbox.ts";
import {
  type ChildGroup,
  type ChildResult,
  type ChildrenOfRun,
  childEntry,
  type GroupPlace,
  type NewChild,
  type ParentRun,
  resultOf,
  type SoonEnd,
} from "./children.ts";

export interface ChildrenParts {
  readonly link: NatsLink;
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  readonly vault: Vault | undefined;
  readonly inbox: ChildInbox;
}

/** How many messages are read at a time. */
const readAtOnce = 64;

export class StoredChildren implements ChildrenOfRun {
  readonly #parts: ChildrenParts;
  readonly #parent: ParentRun;

  constructor(parts: ChildrenParts, parent: ParentRun) {
    this.#parts = parts;
    this.#parent = parent;
  }

  async create(group: ChildGroup, isWatched = false): Promise<void> {
    const { task, inputs, atOnce } = group;
    const { inbox } = this.#parts;
    const told = { atOnce, ...(isWatched && { inbox: inbox?.name }) };
    await Promise.all(inputs.map((input, place) => this.#store(task, this.#idOf(group, place), input, told)));
  }

  watch(group: ChildGroup, onEnd: (place: number, end: SoonEnd) => void): () => void {
    const { inbox, vault } = this.#parts;
    const stops = group.inputs.map((_, place) => {
      const key = keyOf(group.task, this.#idOf(group, place));
      return inbox.watch(key, (end) => {
        if (end?.outcome.kind !== "completed") return onEnd(place, undefined);
        const { sequence, time } = end;
        // A result that cannot be decrypted now is read again when the leader offers it.
        new Promise<ChildResult>((resolve) => resolve(resultOf(end.outcome, key, vault))).then(
          (result) => onEnd(place, { result, sequence, time }),
          () => onEnd(place, undefined),
        );
      });
    });
    return () => {
      for (const stop of stops) stop();
    };
  }

  #idOf({ lap, ordinal }: GroupPlace, place: number): string {
    return childIdOf({ origin: this.#parent.origin, lap, ordinal, place });
  }

  /** Stores a run that its parent does not wait for. */
  async enqueue(task: string, id: string, input: string): Promise<void> {
    await this.#store(task, id, input);
  }

  async read(group: GroupPlace, ends: readonly (ChildEnd | null)[]): Promise<readonly (ChildResult | null)[]> {
    const messages = await this.#messages(ends);
    const decoded = new Map<number, readonly Outcome[]>(); // many children end in one entry
    const { vault } = this.#parts;
    const results = ends.map((end, place) => {
      if (end === null) return null;
      const key = keyOf(group.task, this.#idOf(group, place));
      const outcomes = decoded.get(end.seq) ?? outcomesIn(messages.get(end.seq)!, end.index);
      decoded.set(end.seq, outcomes);
      const outcome = outcomes[Math.max(end.index, 0)];
      if (outcome?.key !== key) throw moved("another outcome stands in its place");
      return resultOf(outcome, key, vault);
    });
    return Promise.all(results);
  }

  /** Stores a child. A run that exists under its id is the same child, whoever created it. */
  async #store(task: string, id: string, input: string, told: Pick<NewChild, "atOnce" | "inbox"> = {}): Promise<void> {
    const { publisher, subjects, link, vault } = this.#parts;
    const child = { task, createdAt: link.clock.now(), input, ...told };
    const entry = encodeRunEntry(childEntry(this.#parent, child, vault));
    await publisher.append(subjects.run(task, id), entry, 0);
  }

  /** Reads each entry once, because it may have many outcomes. Fails: StoreUnavailable if one has moved; the next offer says where to */
  async #messages(ends: readonly (ChildEnd | null)[]): Promise<ReadonlyMap<number, StoredMessage>> {
    const { link, subjects } = this.#parts;
    const seqs = [...new Set(ends.flatMap((end) => (end === null ? [] : [end.seq])))];
    const found = new Map<number, StoredMessage>();
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < seqs.length) {
        const seq = seqs[next++]!;
        const { stream } = subjects;
        const message = (await messageAt(link, stream, seq)) ?? (await messageFromLeader(link, stream, seq));
        if (message === undefined) throw moved(`its entry ${seq} is gone`);
        found.set(seq, message);
      }
    };
    await Promise.all(Array.from({ length: Math.min(readAtOnce, seqs.length) }, lane));
    return found;
  }
}

const moved = (reason: string) => new StoreUnavailable({ operation: "read the result of a child", reason });

/** The outcomes in an entry; `index` < 0: in a child's own entry, which has its outcome in place of the input once it is kept for the parent. */
function outcomesIn({ data }: StoredMessage, index: number): readonly Outcome[] {
  return decodeOutcomeEntry(index < 0 ? decodeRunEntry(data).input : data).outcomes;
}
