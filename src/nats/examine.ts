// Examining a server for `natchet doctor`. It changes nothing: the server refuses every probe before it stores anything.
import { headers, type Msg } from "@nats-io/transport-node";
import type { Log } from "../domain/log.ts";
import { roleOf } from "../wire/result-inbox.ts";
import type { Subjects } from "../wire/subjects.ts";
import { deniedSubject } from "./ask-store.ts";
import type { NatsLink } from "./link.ts";
import { keepServerTime } from "./server-time.ts";
import { ApiRefusal, askOnce, type StreamInfo } from "./stream-api.ts";

export interface StreamReport {
  readonly name: string;
  /** Undefined if the stream does not exist. */
  readonly found?: {
    readonly messages: number;
    readonly bytes: number;
    /** Absent if there is no limit. */
    readonly maxBytes?: number;
    readonly replicas: number;
  };
}

/** The streams and buckets of the namespace. */
export async function examineStreams(link: NatsLink, subjects: Subjects): Promise<StreamReport[]> {
  const names = [subjects.stream, subjects.bucketStream, subjects.leaseStream, subjects.logsStream];
  return Promise.all(names.map((name) => examineStream(link, name)));
}

async function examineStream(link: NatsLink, name: string): Promise<StreamReport> {
  try {
    const { config, state } = await askOnce<StreamInfo>(link.nc, `STREAM.INFO.${name}`, undefined, answerMs);
    const { max_bytes: maxBytes, num_replicas: replicas } = config;
    const { messages, bytes } = state;
    return { name, found: { messages, bytes, replicas, ...(maxBytes > 0 && { maxBytes }) } };
  } catch (error) {
    if (error instanceof ApiRefusal) return { name };
    throw error;
  }
}

/** How far this machine's clock is ahead of the server that stores the stream. Units: milliseconds */
export async function examineClock(link: NatsLink, stream: string, log: Log): Promise<number> {
  await keepServerTime(link, stream, log);
  return link.clock.machineAheadMs;
}

export type Duty = "enqueue runs" | "execute runs" | "lead as an engine";

/** The subjects that a duty needs and this login may not publish to or subscribe to. */
export async function examinePermissions(link: NatsLink, subjects: Subjects): Promise<ReadonlyMap<Duty, string[]>> {
  const kv = (bucket: string) => `$KV.${bucket}.doctor`;
  const role = roleOf(link.inboxPrefix);
  const doctor = role === "" ? "doctor" : `${role}-doctor`;
  const api = (verb: string) => `$JS.API.${verb}.${subjects.stream}`;
  const needs: readonly (readonly [Duty, "publish" | "subscribe", string])[] = [
    ["enqueue runs", "publish", subjects.unusedRun],
    ["enqueue runs", "publish", subjects.engine("result")],
    ["execute runs", "publish", subjects.outcome("worker", doctor, 0)],
    ["execute runs", "publish", subjects.transcript("doctor/none")],
    ["execute runs", "subscribe", subjects.worker(doctor, "assign")],
    ["lead as an engine", "publish", kv(subjects.bucket)],
    ["lead as an engine", "publish", kv(subjects.leaseBucket)],
    ["lead as an engine", "publish", api("STREAM.CREATE")],
    ["lead as an engine", "publish", api("STREAM.UPDATE")],
    ["lead as an engine", "subscribe", subjects.leader("doctor")],
  ];
  const allowed = await Promise.all(
    needs.map(([, operation, subject]) =>
      operation === "publish" ? mayPublish(link, subject) : maySubscribe(link, subject),
    ),
  );
  const denied = new Map<Duty, string[]>();
  for (const [at, [duty, operation, subject]] of needs.entries())
    if (!allowed[at]) denied.set(duty, [...(denied.get(duty) ?? []), `${operation} ${subject}`]);
  return denied;
}

const answerMs = 2_000;
const noRuns = JSON.stringify({ keys: [], inbox: "_INBOX.doctor" });

/** Probes change nothing: a message that expects another stream is not stored, an API request without a configuration is refused, and engines are asked about no runs. */
async function mayPublish(link: NatsLink, subject: string): Promise<boolean> {
  const expected = headers();
  expected.set("Nats-Expected-Stream", "natchet-doctor");
  let isDenied = false;
  const end = link.onDenied((denial) => {
    if (denial.operation === "publish" && denial.subject === subject) isDenied = true;
  });
  try {
    await link.nc.request(subject, noRuns, { timeout: answerMs, headers: expected });
  } catch (error) {
    if (deniedSubject(error) !== undefined) isDenied = true; // any other error says nothing about permissions: nobody listens there, for example
  } finally {
    end();
  }
  return !isDenied;
}

async function maySubscribe(link: NatsLink, subject: string): Promise<boolean> {
  let isDenied = false;
  const subscription = link.nc.subscribe(subject, {
    callback: (error: Error | null, _message: Msg) => {
      if (error !== null) isDenied = true;
    },
  });
  await link.nc.flush();
  subscription.unsubscribe();
  return !isDenied;
}
