// What may be wrong with the server, the login, the streams, the clock and the settings of a process, each with what to do about it.
import { Effect, type Scope } from "effect";
import { EngineRequests } from "../client/engine-requests.ts";
import { LeaderLine } from "../client/leader-line.ts";
import { PermissionDenied } from "../domain/errors.ts";
import type { Log } from "../domain/log.ts";
import { examineClock, examinePermissions, examineStreams, type StreamReport } from "../nats/examine.ts";
import type { NatsLink } from "../nats/link.ts";
import { Subjects } from "../wire/subjects.ts";
import { findServer } from "./find-server.ts";
import { openScope } from "./running-scope.ts";
import { connectTo } from "./session.ts";
import { type ConnectOptions, resolveSettings, type Settings } from "./settings.ts";
import { type SettingInForce, settingsInForce, unknownVariables } from "./settings-in-force.ts";

export interface Finding {
  readonly about: string;
  /** `note` may be as it should be. */
  readonly verdict: "ok" | "note" | "bad";
  readonly text: string;
  /** What to do. */
  readonly fix?: string;
}

export interface Checkup {
  readonly findings: readonly Finding[];
  /** None where they are refused. */
  readonly settings: readonly SettingInForce[];
}

/** Looks at everything that can be looked at without changing anything: it starts no server and makes no stream. */
export async function checkUp(options: ConnectOptions, environment: readonly string[]): Promise<Checkup> {
  const findings: Finding[] = unknownVariables(environment).map(({ name, meant }) => ({
    about: "settings",
    verdict: "bad",
    text: `${name} is set, and no setting has that name`,
    fix: meant === undefined ? "remove it" : `did you mean ${meant}?`,
  }));
  let settings: Settings;
  try {
    settings = resolveSettings({ ...options, startServer: false });
  } catch (error) {
    return { findings: [...findings, failure("settings", error)], settings: [] };
  }
  const inForce = settingsInForce(options, settings);
  try {
    const { close } = await openScope(examine(settings, findings));
    await close();
  } catch (error) {
    findings.push(failure("server", error));
  }
  return { findings, settings: inForce };
}

/** A message names what is wrong, and behind a semicolon what to do. */
function failure(about: string, error: unknown): Finding {
  const message = error instanceof Error ? error.message : String(error);
  const at = message.indexOf("; ");
  if (at === -1) return { about, verdict: "bad", text: message };
  return { about, verdict: "bad", text: message.slice(0, at), fix: message.slice(at + 2) };
}

const examine = (settings: Settings, findings: Finding[]): Effect.Effect<void, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const note = (text: string) => findings.push({ about: "server", verdict: "note", text });
    const log: Log = { debug: () => {}, info: note, warn: note, error: note };
    const server = yield* findServer(settings, log);
    const link = yield* connectTo(settings, server, "client", log);
    findings.push({ about: "server", verdict: "ok", text: server.where });
    findings.push({ about: "version", verdict: "ok", text: `nats-server ${link.version}, JetStream is enabled` });
    const subjects = new Subjects(settings.nats.namespace);
    const look = async () => {
      for (const step of [lookAtPermissions, lookAtStreams, lookAtEngine])
        findings.push(
          ...(await step(link, subjects, settings).catch((error: unknown) => [failure(step.about, error)])),
        );
    };
    yield* Effect.tryPromise({ try: look, catch: (error) => error as Error });
  });

type Step = ((link: NatsLink, subjects: Subjects, settings: Settings) => Promise<readonly Finding[]>) & {
  about: string;
};

const lookAtPermissions: Step = Object.assign(
  async (link: NatsLink, subjects: Subjects): Promise<Finding[]> => {
    const denied = await examinePermissions(link, subjects);
    const about = "permissions";
    if (denied.size === 0) return [{ about, verdict: "ok", text: "this login may enqueue, execute and lead" }];
    return [...denied].map(([duty, what]) => ({
      about,
      // A client need not lead.
      verdict: duty === "enqueue runs" ? "bad" : "note",
      text: `this login may not ${duty}: the server refuses ${what.join(", ")}`,
      fix: "allow that in the server's permissions, if processes with this login are to do it",
    }));
  },
  { about: "permissions" },
);

const lookAtStreams: Step = Object.assign(
  async (link: NatsLink, subjects: Subjects, settings: Settings): Promise<Finding[]> => {
    const streams = await examineStreams(link, subjects);
    if (streams.every(({ found }) => found === undefined)) {
      const text = `namespace "${subjects.namespace}" has no streams yet; the first worker or engine creates them`;
      return [{ about: "streams", verdict: "note", text }];
    }
    return [...streams.map((stream) => aboutStream(stream, settings)), await aboutClock(link, streams)];
  },
  { about: "streams" },
);

const almostFull = 0.9;

function aboutStream({ name, found }: StreamReport, { nats: { replicas } }: Settings): Finding {
  const about = "streams";
  if (found === undefined) {
    const isLog = /^NATCHET_.*_LOGS$/.test(name);
    const text = `${name} is missing`;
    if (isLog)
      return { about, verdict: "note", text: `${text}; a worker creates it for the first line that a run logs` };
    return { about, verdict: "bad", text, fix: "restore it from a backup, or start an engine with NATCHET_RECREATE=1" };
  }
  const { messages, bytes, maxBytes } = found;
  const of = maxBytes === undefined ? "" : ` of at most ${maxBytes}`;
  const text = `${name}: ${messages} messages, ${bytes} bytes${of}, ${found.replicas} replica${found.replicas === 1 ? "" : "s"}`;
  if (maxBytes !== undefined && bytes > maxBytes * almostFull && !name.endsWith("_LOGS"))
    return {
      about,
      verdict: "bad",
      text: `${text}, almost full`,
      fix: "raise NATCHET_MAX_BYTES or shorten NATCHET_KEEP_AGE",
    };
  if (found.replicas < replicas)
    return {
      about,
      verdict: "bad",
      text,
      fix: `NATCHET_REPLICAS is ${replicas}: start an engine with it, on a cluster of ${replicas}`,
    };
  return { about, verdict: "ok", text };
}

const largestDifferenceMs = 1_000;

async function aboutClock(link: NatsLink, streams: readonly StreamReport[]): Promise<Finding> {
  const stream = streams.find(({ found }) => found !== undefined)!;
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const aheadMs = Math.round(await examineClock(link, stream.name, silent));
  const text = `this machine's clock is ${Math.abs(aheadMs)} ms ${aheadMs < 0 ? "behind" : "ahead of"} the server's`;
  if (Math.abs(aheadMs) <= largestDifferenceMs) return { about: "clock", verdict: "ok", text };
  return {
    about: "clock",
    verdict: "bad",
    text,
    fix: "synchronise the clocks of both machines (NTP); natchet goes by the server's",
  };
}

const lookAtEngine: Step = Object.assign(
  async (link: NatsLink, subjects: Subjects): Promise<Finding[]> => {
    const line = new LeaderLine(link, subjects);
    try {
      const workers = await new EngineRequests(line).workers({ timeout: "2s" });
      const tasks = new Set(workers.flatMap((worker) => worker.tasks));
      if (workers.length > 0)
        return [
          { about: "engine", verdict: "ok", text: `an engine leads, workers: ${workers.length}, tasks: ${tasks.size}` },
        ];
      const fix = 'start a worker, for example with "natchet dev"';
      return [{ about: "engine", verdict: "note", text: "an engine leads, and no worker is connected", fix }];
    } catch (error) {
      if (!(error instanceof PermissionDenied)) throw error;
      return [{ about: "engine", verdict: "note", text: "this login may not ask an engine which workers there are" }];
    } finally {
      line.close();
    }
  },
  { about: "engine" },
);
