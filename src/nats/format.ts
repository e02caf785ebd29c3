// The format of a namespace: what its log may contain, as a number in the metadata of its stream. A process refuses a format that is newer than
// its own. An older one is raised by the engine that takes the lead; until then, engines of that format may use the namespace too.
import { NamespaceTooNew } from "../domain/errors.ts";
import { passingOn } from "../wire/result-inbox.ts";
import type { Subjects } from "../wire/subjects.ts";
import type { StreamConfig } from "./stream-api.ts";

/** What this version writes. It reads all earlier ones. */
export const currentFormat = 2;
const key = "natchet.format";

type Metadata = StreamConfig["metadata"];

/** The format of an existing log; 1 if its metadata does not say. */
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
 * The subjects of the lease's stream. In format 2 the lease of format 1 is not among them, so an engine that was started before never leads again.
 * But one of the subjects of all outcomes is (`formatLock`), so an engine of format 1 that starts later cannot claim those for its log.
 */
export const leaseOfFormat = (format: number, { leaseBucket, lease, formatLock }: Subjects): string[] =>
  format === 1 ? [everyKey(leaseBucket)] : [`${lease}.>`, formatLock];

/** Whether engines of format 1 can still claim their own lease. */
export const isLeaseShared = (stored: readonly string[], { leaseBucket }: Subjects): boolean =>
  stored.includes(everyKey(leaseBucket));

const everyKey = (bucket: string): string => `$KV.${bucket}.>`;
