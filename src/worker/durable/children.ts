// The children of durable runs, as their worker makes them and reads how they ended.
import type { ChildEnd } from "../../domain/durable.ts";
import type { ErrorRecord } from "../../domain/error-record.ts";
import type { AttemptRecord } from "../../domain/run.ts";

export interface Group {
  readonly task: string;
  readonly lap: number;
  readonly ordinal: number;
  /** JSON, in the order of their places; empty for undefined. */
  readonly inputs: readonly string[];
  /** Only so many of them are started at once. */
  readonly atOnce?: number | undefined;
}

/** How a child ended, as the journal of its parent keeps it; null: it had not when its group ended. */
export type ChildResult =
  | { readonly ok: true; readonly value?: unknown }
  | {
      readonly ok: false;
      readonly key: string;
      readonly error: ErrorRecord;
      readonly attempts: readonly AttemptRecord[];
    }
  | { readonly ok: false; readonly key: string; readonly reason: string };

export interface Children {
  /** Resolves when all of them are stored; one that is there already is the one. Fails: QueueFull, PayloadTooLarge, StoreUnavailable */
  create(group: Group): Promise<void>;
  /** How those of a group ended, in the order of their places. Fails: StoreUnavailable when one cannot be read there any more */
  read(
    group: Pick<Group, "task" | "lap" | "ordinal">,
    ends: readonly (ChildEnd | null)[],
  ): Promise<readonly (ChildResult | null)[]>;
}
