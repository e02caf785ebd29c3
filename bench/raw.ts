// What the server alone can do with the writes of the same runs: entries created with "expect sequence 0", pipelined, and for every 32 of
// them one append that is as large as their 32 outcomes. No run can be cheaper than that.

import { jetstreamManager } from "@nats-io/jetstream";
import { connect, createInbox, headers, type NatsConnection } from "@nats-io/transport-node";
import { isBundle, runsOfBundle } from "../src/wire/bundle-entry.ts";
import { decodeOutcomeEntry } from "../src/wire/outcome-entry.ts";
import { decodeRunEntry } from "../src/wire/run-entry.ts";
import { Subjects } from "../src/wire/subjects.ts";

const windowSize = 2_000;
const outcomesPerEntry = 32;

/** Runs per second, for entries of `entryBytes` and outcomes of `outcomeBytes` each. */
export async function measureRawLimit(
  url: string,
  count: number,
  entryBytes: number,
  outcomeBytes: number,
): Promise<number> {
  const nc = await connect({ servers: url });
  const streams = await jetstreamManager(nc);
  await streams.streams.add({
    name: "RAW",
    subjects: ["raw.>"],
    max_msgs_per_subject: 1,
    discard: "new" as never,
    storage: "file" as never,
  });
  const startedAt = performance.now();
  await publishAll(nc, count, new Uint8Array(entryBytes), new Uint8Array(outcomeBytes * outcomesPerEntry));
  const seconds = (performance.now() - startedAt) / 1_000;
  await streams.streams.delete("RAW");
  await nc.close();
  return count / seconds;
}

/** The mean size of what one run writes, read from the log that the benchmark has left. */
export async function sampleSizes(url: string): Promise<{ entryBytes: number; outcomeBytes: number }> {
  const nc = await connect({ servers: url });
  const subjects = new Subjects("default");
  const streams = (await jetstreamManager(nc)).streams;
  const last = async (subject: string) => (await streams.getMessage(subjects.stream, { last_by_subj: subject }))?.data;
  const entry = await last(subjects.runsOf("noop"));
  const outcomes = await last(subjects.outcomes);
  await nc.close();
  const count = outcomes === undefined ? 1 : decodeOutcomeEntry(outcomes).outcomes.length;
  return {
    entryBytes: entry === undefined ? 160 : Math.ceil(entry.length / runsIn(entry)),
    outcomeBytes: outcomes === undefined ? 400 : Math.ceil(outcomes.length / count),
  };
}

function runsIn(bytes: Uint8Array): number {
  const entry = decodeRunEntry(bytes);
  return isBundle(entry) ? runsOfBundle(entry).length : 1;
}

async function publishAll(nc: NatsConnection, count: number, entry: Uint8Array, outcomes: Uint8Array): Promise<void> {
  const inbox = createInbox();
  const create = headers();
  create.set("Nats-Expected-Last-Subject-Sequence", "0");
  const total = count + Math.ceil(count / outcomesPerEntry);
  let sent = 0;
  let acknowledged = 0;
  let nextRun = 0;
  let nextOutcomes = 0;
  const send = () => {
    while (sent < total && sent - acknowledged < windowSize) {
      const isOutcomes = sent % (outcomesPerEntry + 1) === outcomesPerEntry || nextRun === count;
      const subject = isOutcomes ? `raw.done.w.${nextOutcomes++}` : `raw.run.noop.${nextRun++}`;
      nc.publish(subject, isOutcomes ? outcomes : entry, { reply: inbox, headers: create });
      sent += 1;
    }
  };
  await new Promise<void>((resolve, reject) => {
    nc.subscribe(inbox, {
      callback: (error, message) => {
        if (error) return reject(error);
        const reply = message.string();
        if (reply.includes('"error"')) return reject(new Error(`the server refused a write: ${reply}`));
        acknowledged += 1;
        if (acknowledged === total) resolve();
        else send();
      },
    });
    send();
  });
}
