// The children of durable runs, as their worker creates them and reads their results.

import type { ChildEnd } from "../../domain/durable.ts";
import type { ErrorRecord } from "../../domain/error-record.ts";
import { inheritedMetadata } from "../../domain/parent.ts";
import type { AttemptRecord, OutcomeKind } from "../../domain/run.ts";
import { isSealedError, openAttempts, openErrorForGood, openOutput, sealInput } from "../../sealing/sealed.ts";
import type { Vault } from "../../sealing/vault.ts";
import { jsonOf, noBytes, utf8 } from "../../wire/bytes.ts";
import { type RunEntry, runForm } from "../../wire/run-entry.ts";
import type { FinalDetail } from "../../wire/story.ts";

/** Names a group of a run's children. */
export interface GroupPlace {
  readonly task: string;
  readonly lap: number;
  readonly ordinal: number;
}

export interface ChildGroup extends GroupPlace {
  /** JSON, in the order of their places; empty for undefined. */
  readonly inputs: readonly string[];
  /** At most this many are started at once. */
  readonly atOnce?: number | undefined;
}

/** How a child ended, as its parent's journal keeps it; null: it had not ended when its group did. */
export type ChildResult =
  | { readonly ok: true; readonly value?: unknown }
  | {
      readonly ok: false;
      readonly key: string;
      readonly error: ErrorRecord;
      readonly attempts: readonly AttemptRecord[];
    }
  | { readonly ok: false; readonly key: string; readonly reason: string };

/** How a child completed; undefined if it ended otherwise, or if nothing more will be heard of it. Units: `time` epoch milliseconds */
export type SoonEnd = { readonly result: ChildResult; readonly sequence: number; readonly time: number } | undefined;

export interface Children {
  /** Stores the children of a group. A run that exists under the id of a child is that child. Fails: QueueFull, PayloadTooLarge, StoreUnavailable */
  create(group: ChildGroup, isWatched?: boolean): Promise<void>;
  /** Calls back with the end of each child of a group; to be called before `create`. Returns a function that ends the watch. @default no watch */
  watch?(group: ChildGroup, onEnd: (place: number, end: SoonEnd) => void): () => void;
  /** How the children of a group ended, in the order of their places. Fails: StoreUnavailable if one cannot be read where its end was */
  read(group: GroupPlace, ends: readonly (ChildEnd | null)[]): Promise<readonly (ChildResult | null)[]>;
}

/** The children of one run. */
export interface ChildrenOfRun extends Children {
  /** Stores a run that nobody waits for, once for each id. Fails: as {@link Children.create} */
  enqueue(task: string, id: string, input: string): Promise<void>;
}

export interface ParentRun {
  readonly key: string;
  readonly origin: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** Id of the worker that executes it. */
  readonly worker: string;
}

export interface NewChild {
  readonly task: string;
  readonly createdAt: number;
  /** JSON; empty for undefined. */
  readonly input: string;
  readonly atOnce?: number | undefined;
  /** The inbox where its creator hears how it ends. @default none: the leader offers the end */
  readonly inbox?: string | undefined;
}

export function childEntry(
  parent: ParentRun,
  { task, createdAt, input, atOnce, inbox = "" }: NewChild,
  vault?: Vault,
): RunEntry {
  return {
    ...{ form: runForm.new, priority: 0, createdAt, dueAt: 0, scheduleTimeoutMs: undefined, inbox },
    extra: {
      metadata: inheritedMetadata(parent),
      placement: { near: parent.worker, ...(atOnce !== undefined && { atOnce }) },
    },
    input: vault === undefined || input === "" ? utf8(input) : sealedChildInput(vault, task, input),
  };
}

const sealedChildInput = (vault: Vault, task: string, json: string): Uint8Array =>
  sealInput(vault, task, { value: JSON.parse(json), json: utf8(json) });

/** What a parent's journal keeps about the end of a child; a promise if the end has to be decrypted. Fails: DecryptionFailed */
export function resultOf(
  { kind, output, detail }: ChildOutcome,
  key: string,
  vault: Vault | undefined,
): ChildResult | Promise<ChildResult> {
  if (kind === "completed") {
    const value = openOutput(vault, key, jsonOf(output ?? noBytes));
    return value instanceof Promise ? value.then((opened) => ({ ok: true, value: opened })) : { ok: true, value };
  }
  const { error, reason = "no reason given", attempts = [] } = (detail ?? {}) as Partial<FinalDetail>;
  if (kind === "cancelled" || error === undefined) return { ok: false, key, reason };
  return isSealedError(error) ? openedFailure(vault, { key, error, attempts }) : { ok: false, key, error, attempts };
}

type Failure = Pick<Extract<ChildResult, { readonly error: ErrorRecord }>, "key" | "error" | "attempts">;

const openedFailure = async (vault: Vault | undefined, { key, error, attempts }: Failure): Promise<ChildResult> => ({
  ...{ ok: false, key },
  error: await openErrorForGood(vault, key, error),
  attempts: await openAttempts(vault, key, attempts),
});

interface ChildOutcome {
  readonly kind: OutcomeKind;
  readonly output?: Uint8Array | undefined;
  readonly detail?: unknown;
}
