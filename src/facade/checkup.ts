// A checkup finds what may be wrong with the server, the login, the streams, the clock and the settings, and says what to do about it.
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { EngineRequests } from "../client/asking/engine-requests.ts";
import { LeaderLine } from "../client/asking/leader-line.ts";
import { PermissionDenied } from "../domain/errors.ts";
import { type Log, silentLog } from "../domain/log.ts";
import { toText } from "../domain/thrown.ts";
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
  /** A `note` may be intended. */
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

const ok = (about: string, text: string): Finding => ({ about, verdict: "ok", text });
const note = (about: string, text: string, fix?: string): Finding => ({
  about,
  verdict: "note",
  text,
  ...(fix && { fix }),
});
const bad = (about: string, text: string, fix?: string): Finding => ({
  about,
  verdict: "bad",
  text,
  ...(fix && { fix }),
});

/** A message says what is wrong and, after a semicolon, what to do. */
function failure(about: string, error: unknown): Finding {
  const [text = "", ...fix] = toText(error).split("; ");
  return bad(about, text, fix.join("; "));
}

/** Checks everything that can be checked without changing anything: starts no server and creates no stream. */
export async function checkUp(options: ConnectOptions, environment: readonly string[]): Promise<Checkup> {
  const findings = unknownVariables(environment).map(({ name, meant }) =>
    bad(
      "settings",
      `${name} is set, and no setting has that name`,
      meant === undefined ? "remove it" : `did you mean ${meant}?`,
    ),
  );
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

const examine = (settings: Settings, findings: Finding[]): Effect.Effect<void, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const tell = (text: string) => findings.push(note("server", text));
    const log: Log = { debug: () => {}, info: tell, warn: tell, error: tell };
    const server = yield* findServer(settings, log);
    const link = yield* connectTo(settings, server, "client", log);
    findings.push(ok("server", server.where));
    findings.push(ok("version", `nats-server ${link.version}, JetStream is enabled`));
    const subjects = new Subjects(settings.nats.namespace);
    for (const [about, look] of Object.entries(steps)) {
      const found = look(link, subjects, settings).catch((error: unknown) => [failure(about, error)]);
      findings.push(...(yield* Effect.promise(() => found)));
    }
  });

type Look = (link: NatsLink, subjects: Subjects, settings: Settings) => Promise<readonly Finding[]>;

/** The looks, in the order in which they are taken. */
const steps: Readonly<Record<string, Look>> = {
  permissions: lookAtPermissions,
  streams: lookAtStreams,
  engine: lookAtEngine,
};

async function lookAtPermissions(link: NatsLink, subjects: Subjects): Promise<Finding[]> {
  const denied = await examinePermissions(link, subjects);
  if (denied.size === 0) return [ok("permissions", "this login may enqueue, execute and lead")];
  return [...denied].map(([duty, what]) => {
    const find = duty === "enqueue runs" ? bad : note; // a client need not lead
    const fix = "allow that in the server's permissions, if processes with this login need it";
    return find("permissions", `this login may not ${duty}: the server refuses ${what.join(", ")}`, fix);
  });
}

async function lookAtStreams(link: NatsLink, subjects: Subjects, settings: Settings): Promise<Finding[]> {
  const streams = await examineStreams(link, subjects);
  if (streams.every(({ found }) => found === undefined)) {
    const text = `namespace "${subjects.namespace}" has no streams yet; the first worker or engine creates them`;
    return [note("streams", text)];
  }
  return [...streams.map((stream) => aboutStream(stream, settings)), await aboutClock(link, streams)];
}

const almostFull = 0.9;

function aboutStream({ name, found }: StreamReport, { nats: { replicas } }: Settings): Finding {
  const isLogs = /^NATCHET_.*_LOGS$/.test(name);
  if (found === undefined) {
    const text = `${name} is missing`;
    if (isLogs) return note("streams", `${text}; a worker creates it for the first line that a run logs`);
    return bad("streams", text, "restore it from a backup, or start an engine with NATCHET_RECREATE=1");
  }
  const { messages, bytes, maxBytes } = found;
  const of = maxBytes === undefined ? "" : ` of at most ${maxBytes}`;
  const text = `${name}: ${messages} messages, ${bytes} bytes${of}, ${found.replicas} replica${found.replicas === 1 ? "" : "s"}`;
  if (maxBytes !== undefined && bytes > maxBytes * almostFull && !isLogs)
    return bad("streams", `${text}, almost full`, "raise NATCHET_MAX_BYTES or shorten NATCHET_KEEP_AGE");
  if (found.replicas >= replicas) return ok("streams", text);
  const fix = `NATCHET_REPLICAS is ${replicas}: start an engine with it, on a cluster of ${replicas}`;
  return bad("streams", text, fix);
}

const largestDifferenceMs = 1_000;

async function aboutClock(link: NatsLink, streams: readonly StreamReport[]): Promise<Finding> {
  const stream = streams.find(({ found }) => found !== undefined)!;
  const aheadMs = Math.round(await examineClock(link, stream.name, silentLog));
  const text = `this machine's clock is ${Math.abs(aheadMs)} ms ${aheadMs < 0 ? "behind" : "ahead of"} the server's`;
  if (Math.abs(aheadMs) <= largestDifferenceMs) return ok("clock", text);
  return bad("clock", text, "synchronise the clocks of both machines (NTP); natchet uses the server's");
}

/** An engine that leads answers at once. Units: milliseconds */
const askMs = 2_000;

async function lookAtEngine(link: NatsLink, subjects: Subjects): Promise<Finding[]> {
  const line = new LeaderLine(link, subjects);
  try {
    const workers = await new EngineRequests(line).workers(performance.now() + askMs);
    const tasks = new Set(workers.flatMap((worker) => worker.tasks));
    if (workers.length > 0) return [ok("engine", `an engine leads, workers: ${workers.length}, tasks: ${tasks.size}`)];
    const fix = 'start a worker, for example with "natchet dev"';
    return [note("engine", "an engine leads, and no worker is connected", fix)];
  } catch (error) {
    if (!(error instanceof PermissionDenied)) throw error;
    return [note("engine", "this login may not ask an engine for its workers")];
  } finally {
    line.close();
  }
}
