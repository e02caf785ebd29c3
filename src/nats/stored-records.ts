// Reads records of the bucket for a leader: malformed ones are logged and treated as missing.
import type { Log } from "../domain/log.ts";
import type { Definitions } from "./definitions.ts";

type Is<T> = (record: unknown) => record is T;

/** The well-formed ones of `records`. */
export function readable<T, R extends { readonly key: string; readonly record: unknown }>(
  records: readonly R[],
  is: Is<T>,
  log: Log,
): (R & { readonly record: T })[] {
  const kept: (R & { readonly record: T })[] = [];
  for (const found of records) {
    if (is(found.record)) kept.push(found as R & { readonly record: T });
    else sayUnreadable(found.key, log);
  }
  return kept;
}

/** The record of a key and its sequence, which is present even if the record cannot be read. Fails: StoreUnavailable, PermissionDenied */
export async function readRecord<T>(
  definitions: Definitions,
  key: string,
  is: Is<T>,
  log: Log,
): Promise<{ readonly record: T | undefined; readonly seq: number }> {
  const found = await definitions.find(key);
  if (found === undefined) return { record: undefined, seq: 0 };
  const { record, seq } = found;
  if (is(record)) return { record, seq };
  sayUnreadable(key, log);
  return { record: undefined, seq };
}

const sayUnreadable = (key: string, log: Log): void =>
  log.error("a stored record cannot be read and is ignored; delete it or store it again", { key: key.slice(0, 300) });
