// Roles: what each needs of NATS and no more, as the subjects that it publishes and subscribes to. A test works as each role with exactly these
// rights, and checks that it has no others.
import type { Subjects } from "../wire/subjects.ts";
import { verbsBy } from "../wire/verbs.ts";

/** A `worker` executes runs without an engine in its process. */
export type Role = "producer" | "operator" | "worker" | "engine";

export interface RoleRights {
  readonly about: string;
  readonly inboxPrefix: string;
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** It may answer requests. */
  readonly answers: boolean;
}

const abouts: Record<Role, string> = {
  producer: "Enqueues runs, waits for results, and reads what runs log.",
  operator:
    "Also lists, cancels, reschedules, pauses and schedules: everything that the command line and a client can do.",
  worker: "Executes runs with NATCHET_ENGINE=off; its tasks may enqueue others.",
  engine: "Leads: makes the streams and changes them, assigns runs, stores outcomes.",
};

export const roles = Object.keys(abouts) as readonly Role[];

/** The rights of a role in a namespace, with an inbox prefix of its own. */
export function rightsOf(role: Role, subjects: Subjects): RoleRights {
  const inboxPrefix = `_INBOX.${role}`;
  const { publish, subscribe } = { producer, operator, worker, engine }[role](namesOf(subjects));
  const answers = role === "worker";
  return { about: abouts[role], inboxPrefix, publish, subscribe: [`${inboxPrefix}.>`, ...subscribe], answers };
}

interface Names {
  readonly subjects: Subjects;
  readonly root: string;
  readonly log: string;
  readonly bucket: string;
  readonly lease: string;
  readonly logs: string;
  readonly reserve: string;
  readonly journal: string;
}

const namesOf = (subjects: Subjects): Names => ({
  subjects,
  root: subjects.root,
  log: subjects.stream,
  bucket: subjects.bucketStream,
  lease: subjects.leaseStream,
  logs: subjects.logsStream,
  reserve: subjects.reserveStream,
  journal: subjects.journalStream,
});

type Rights = Pick<RoleRights, "publish" | "subscribe">;

const api = (verb: string, ...streams: readonly string[]): string[] => streams.map((name) => `$JS.API.${verb}.${name}`);

/** Everybody looks whether the streams are there and in order. */
const everybody = ({ log, bucket, lease, journal }: Names): string[] => [
  "$JS.API.INFO",
  ...api("STREAM.INFO", log, bucket, lease, journal),
];

/** Storing runs and reading their results. */
const enqueuing = (names: Names): string[] => [
  names.subjects.runs,
  ...verbsBy("enqueuer").map((verb) => names.subjects.engine(verb)),
  names.subjects.signals, // while no engine answers
  ...api("STREAM.MSG.GET", names.log),
  ...api("DIRECT.GET", names.log, `${names.bucket}.$KV.${names.subjects.bucket}.admission`),
];

const readingTranscripts = ({ logs, journal, subjects }: Names): string[] => [
  ...api("STREAM.MSG.GET", journal),
  ...api("DIRECT.GET", journal),
  ...api("STREAM.INFO", logs),
  ...api("STREAM.MSG.GET", logs),
  `$JS.API.CONSUMER.CREATE.${logs}.*.${subjects.transcripts}`,
  `$JS.API.CONSUMER.DELETE.${logs}.*`,
  `$JS.FC.${logs}.>`,
];

const producer = (names: Names): Rights => ({
  publish: [...everybody(names), ...enqueuing(names), ...readingTranscripts(names)],
  subscribe: [names.subjects.epoch, names.subjects.admission],
});

const operator = (names: Names): Rights => {
  const { publish, subscribe } = producer(names);
  return { publish: [...publish, ...verbsBy("operator").map((verb) => names.subjects.engine(verb))], subscribe };
};

const worker = (names: Names): Rights => {
  const { subjects, bucket, logs, journal } = names;
  return {
    publish: [
      ...everybody(names),
      ...verbsBy("worker").map((verb) => subjects.engine(verb)),
      ...subjects.outcomesBy("worker", "worker"),
      subjects.transcripts,
      ...api("STREAM.INFO", logs),
      ...api("STREAM.MSG.GET", logs, journal),
      ...api("DIRECT.GET", journal),
      subjects.journals,
      ...api("DIRECT.GET", `${bucket}.$KV.${subjects.bucket}.pauses`),
      ...enqueuing(names),
    ],
    subscribe: [subjects.workersOf("worker"), subjects.epoch, subjects.admission, subjects.signals],
  };
};

const engine = (names: Names): Rights => {
  const { subjects, root, log, bucket, lease, logs, reserve, journal } = names;
  const streams = [log, bucket, lease, logs, reserve, journal];
  return {
    publish: [
      ...everybody(names),
      ...api("STREAM.INFO", logs, reserve),
      ...api("STREAM.CREATE", ...streams),
      ...api("STREAM.UPDATE", ...streams),
      ...api("STREAM.PURGE", log, bucket, lease, logs, reserve, journal),
      ...api("STREAM.MSG.GET", log, bucket, lease),
      ...api("DIRECT.GET", log, bucket, `${bucket}.>`),
      ...api("CONSUMER.CREATE", `${log}.>`, `${bucket}.>`),
      ...api("CONSUMER.DELETE", `${log}.*`, `${bucket}.*`),
      `$JS.FC.${log}.>`,
      `$JS.FC.${bucket}.>`,
      `$KV.${subjects.bucket}.>`,
      `$KV.${subjects.leaseBucket}.>`,
      subjects.runs,
      ...subjects.outcomesBy("engine", ""),
      ...subjects.outcomesBy("worker", "*"), // rewritten in a worker's name, without an erased run
      subjects.signals,
      subjects.journals, // the journal of an erased run is closed
      `${subjects.reserve}.*`,
      `${root}.worker.*.*.*`,
      `${root}.leader.*`,
      subjects.epoch,
      subjects.admission,
      "_INBOX.>", // answers and results
    ],
    subscribe: [`${root}.engine.*`, `${root}.leader.*`],
  };
};
