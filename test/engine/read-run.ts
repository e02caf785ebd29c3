import { RunReader } from "../../src/client/reading/run-reader.ts";
import type { RunInfo } from "../../src/domain/run.ts";
import type { NatsLink } from "../../src/nats/link.ts";
import { RunStore } from "../../src/nats/run-store.ts";
import { StoredEntries } from "../../src/nats/stored-entries.ts";
import { encodeMessage } from "../../src/wire/messages.ts";
import type { Subjects } from "../../src/wire/subjects.ts";

/** Asks the engine once, and reads what it refers to, as a client does. */
export function readRun(link: NatsLink, subjects: Subjects, key: string): Promise<RunInfo | null> {
  const ask = async () => {
    const reply = await link.nc.request(subjects.engine("get"), encodeMessage({ key }), { timeout: 5_000 });
    return reply.json();
  };
  return new RunReader({ ask } as never, new StoredEntries(new RunStore(link, subjects), subjects)).read(key);
}
