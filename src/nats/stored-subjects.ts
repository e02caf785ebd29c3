// Which subjects a stream holds messages of.
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

/** Removes all messages of a subject. Fails: StoreUnavailable, PermissionDenied */
export async function purgeSubject(link: NatsLink, stream: string, subject: string): Promise<void> {
  const request = jsonBytes({ filter: subject });
  await askStore(link, `$JS.API.STREAM.PURGE.${stream}`, request, { operation: `purge ${subject}` });
}
