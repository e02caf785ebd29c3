// The format of a namespace: what its log may contain, as one number in the metadata of its stream. Processes that do not know a newer one
// refuse it; an older one is raised by the engine that takes the lead, and until then engines of that format share it.
import { NamespaceTooNew } from "../domain/errors.ts";
import { passingOn } from "../wire/result-inbox.ts";
import type { Subjects } from "../wire/subjects.ts";
import type { StreamConfig } from "./stream-api.ts";

/** What this version writes. It reads all earlier ones. */
export const currentFormat = 2;
const key = "natchet.format";

type Metadata = StreamConfig["metadata"];

/** The format of an existing log; 1 if it does not say. */
export function formatOf({ metadata }: Pick<StreamConfig, "metadata">): number {
  const format = Number(metadata?.[key] ?? 1);
  return Number.isSafeInteger(format) && format > 0 ? format : Number.POSITIVE_INFINITY;
}

/** Fails: {@link NamespaceTooNew} */
export function assertReadable(found: Pick<StreamConfig, "metadata">, { namespace }: Subjects): number {
  const format = formatOf(found);
  if (format > currentFormat) throw new NamespaceTooNew({ namespace, format, known: currentFormat });
  return format;
}

/** The part of the log's configuration that depends on its format; `metadata` is the existing one. */
export const logOfFormat = (format: number, subjects: Subjects, metadata: Metadata = {}): Partial<StreamConfig> =>
  format === 1
    ? { subjects: [subjects.runs, subjects.outcomes], republish: passingOn(subjects.outcomesForWaiters1, 3) }
    : {
        subjects: [subjects.runs, subjects.authoredOutcomes, subjects.signals],
        republish: passingOn(subjects.outcomesForWaiters, 5),
        metadata: { ...metadata, [key]: String(format) },
      };

/**
 * The subjects of the lease. In format 2 the lease of format 1 is not one of them, so an engine that was started before never leads again; and one
 * is that of all outcomes, so an engine of format 1 that starts cannot claim those for its log.
 */
export const leaseOfFormat = (format: number, { leaseBucket, lease, formatLock }: Subjects): string[] =>
  format === 1 ? [everyKey(leaseBucket)] : [`${lease}.>`, formatLock];

/** Whether engines of format 1 can claim the lease as well. */
export const isLeaseShared = (stored: readonly string[], { leaseBucket }: Subjects): boolean =>
  stored.includes(everyKey(leaseBucket));

const everyKey = (bucket: string): string => `$KV.${bucket}.>`;
