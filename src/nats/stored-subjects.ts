// The subjects that a stream holds messages of: lists and purges them.
import { jsonBytes } from "../wire/bytes.ts";
import { askStore } from "./ask-store.ts";
import type { NatsLink } from "./link.ts";

interface SubjectsReply {
  readonly error?: { readonly code: number };
  readonly state?: { readonly subjects?: Readonly<Record<string, number>> };
}

/** Most subjects in one answer of a server. */
const page = 100_000;

/** The subjects of a filter, `size` at a time; none if the stream does not exist. Fails: StoreUnavailable, PermissionDenied */
export async function* subjectsIn(
  link: NatsLink,
  stream: string,
  filter: string,
  size: number,
): AsyncGenerator<readonly string[]> {
  for (let offset = 0; ; offset += page) {
    const request = jsonBytes({ subjects_filter: filter, offset });
    const operation = `list the subjects of ${stream}`;
    const reply = (
      await askStore(link, `$JS.API.STREAM.INFO.${stream}`, request, { operation })
    ).json() as SubjectsReply;
    const names = Object.keys(reply.state?.subjects ?? {});
    for (let i = 0; i < names.length; i += size) {
      yield names.slice(i, i + size);
      await new Promise(setImmediate);
    }
    if (names.length < page) return;
  }
}

export interface Purge {
  /** Only what is older. */
  readonly keepFrom?: number;
  /** The stream may never have been needed. */
  readonly mayBeMissing?: boolean;
}

/** Removes the messages of a subject filter; returns how many. Fails: StoreUnavailable, PermissionDenied */
export async function purgeSubject(
  link: NatsLink,
  stream: string,
  filter: string,
  { keepFrom: seq, mayBeMissing = false }: Purge = {},
): Promise<number> {
  const request = jsonBytes({ filter, ...(seq !== undefined && { seq }) });
  const reply = await askStore(link, `$JS.API.STREAM.PURGE.${stream}`, request, {
    operation: `purge ${filter}`,
    accept: ({ err_code }) => mayBeMissing && err_code === noSuchStream,
  });
  return (reply.json() as { purged?: number }).purged ?? 0;
}

const noSuchStream = 10059;
