// The options of a run, and what a run entry makes of them.
import { type AffinityInput, parseAffinity } from "../domain/affinity.ts";
import { type DurationInput, parseDuration, parseLimit } from "../domain/duration.ts";
import { assertKnownOptions, namesOf } from "../domain/known-options.ts";
import { inheritedMetadata } from "../domain/parent.ts";
import type { Parent } from "../domain/policies.ts";
import { assertRunId } from "../domain/run-id.ts";
import { assertPriority } from "../domain/task.ts";
import { assertTime } from "../domain/time.ts";
import { plainEntry, type RunEntry } from "../wire/run-entry.ts";
import type { RunExtra } from "../wire/run-extra.ts";

/** When to run; both absent means at once, both given is an error. */
export interface When {
  /** Start this much later. */
  readonly delay?: DurationInput | undefined;
  /** Start at this time; at once if it has passed. */
  readonly at?: Date | number | undefined;
}

/** Options for one run. */
export interface EnqueueOptions extends When {
  /** A string of 1 to 256 bytes. A second call with the same id returns the first run. */
  readonly id?: string | undefined;
  /** 1…9, higher first; the task's own by default. */
  readonly priority?: number | undefined;
  /** Strings to find the run by; children inherit them. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** How long the run may wait in the queue before it is cancelled; `null` means forever. */
  readonly scheduleTimeout?: DurationInput | null | undefined;
  /** Which workers may get this run, by their labels; overrides its task for the same label. */
  readonly affinity?: AffinityInput | undefined;
}

const known = {
  options: namesOf<EnqueueOptions>({
    id: true,
    delay: true,
    at: true,
    priority: true,
    metadata: true,
    scheduleTimeout: true,
    affinity: true,
  }),
  of: "a run",
};

/** The options as a run entry has them; throws a TypeError or RangeError with the value, the rule and an example. */
export function entryOf(
  options: EnqueueOptions | undefined,
  inbox: string,
  input: Uint8Array,
  now: number,
  parent?: Parent,
): RunEntry {
  if (options === undefined && parent === undefined) return { ...plainEntry, createdAt: now, inbox, input };
  if (options === undefined) return entryOf({}, inbox, input, now, parent);
  assertKnownOptions(options, known);
  if (options.id !== undefined) assertRunId(options.id, "id");
  const { scheduleTimeout, priority } = options;
  return {
    ...plainEntry,
    priority: priority === undefined ? 0 : assertPriority(priority, "run"),
    createdAt: now,
    dueAt: askedDueAt(options, now),
    ...(options.at !== undefined && { isDated: true }),
    scheduleTimeoutMs: scheduleTimeout === undefined ? undefined : parseLimit(scheduleTimeout, "scheduleTimeout"),
    inbox,
    extra: extraOf(options, parent),
    input,
  };
}

function extraOf({ metadata, affinity }: EnqueueOptions, parent: Parent | undefined): RunExtra | undefined {
  const own = metadata === undefined ? undefined : checkMetadata(metadata);
  const rules = affinity === undefined ? undefined : parseAffinity(affinity, "affinity");
  if (own === undefined && rules === undefined && parent === undefined) return undefined;
  const placement = { ...(rules && { affinity: rules }), ...(parent && { near: parent.worker }) };
  return {
    ...((own ?? parent) && { metadata: { ...(parent && inheritedMetadata(parent)), ...own } }),
    ...((rules ?? parent) && { placement }),
  };
}

/** Fails: TypeError */
export const assertWhen = (when: When): void =>
  assertKnownOptions(when, { options: ["delay", "at"], of: "reschedule", example: '{ delay: "10m" }' });

/** When a run is due, on the clock of `now`; 0 = at once. */
export function askedDueAt({ delay, at }: When, now: number): number {
  if (delay !== undefined && at !== undefined)
    throw new TypeError('delay and at exclude each other; give one, for example { delay: "10m" }');
  if (delay !== undefined) return now + parseDuration(delay, "delay");
  if (at === undefined) return 0;
  const time = at instanceof Date ? at.getTime() : typeof at === "number" ? at : Number.NaN;
  return assertTime(time, at, "at");
}

/** The most metadata a run may have: it is part of every list of runs, and stored with every outcome. Units: characters */
const mostMetadata = 32_768;

function checkMetadata(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata))
    throw new TypeError(`metadata: ${String(metadata)} is not a record of strings; for example { customer: "42" }`);
  let size = 0;
  for (const [name, value] of Object.entries(metadata)) {
    size += name.length + String(value).length;
    if (typeof value !== "string")
      throw new TypeError(
        `metadata: ${name} is ${String(value)}, only text is stored; for example { ${name}: "${String(value)}" }`,
      );
  }
  if (size > mostMetadata)
    throw new RangeError(
      `metadata: its names and values have ${size} characters; ${mostMetadata} is the maximum. Put more into the input`,
    );
  return metadata;
}
