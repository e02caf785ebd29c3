// Processes that share an embedded server, as the tests see them.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { findServerBinary } from "../../src/embedded/binary.ts";
import { type Address, Home } from "../../src/embedded/home.ts";
import { type Child, type Runtime, startScript } from "../support/child.ts";
import { loginIn } from "../support/login-in.ts";
import { waitFor } from "../support/wait-for.ts";

export const thisRuntime: Runtime = "Bun" in globalThis ? "bun" : "deno";
const script = new URL("./fixtures/member.ts", import.meta.url).pathname;

export interface Member extends Child {
  ready(): Promise<{ url: string; isOwner: boolean }>;
  events(name: string): Record<string, any>[];
}

export interface MemberOptions {
  readonly runtime?: Runtime;
  readonly drainMs?: number;
  readonly env?: Record<string, string>;
}

/** Starts a process that keeps the embedded server of the directory. */
export function startMember(directory: string, options: MemberOptions = {}): Member {
  const args = [directory, String(options.drainMs ?? 0)];
  const env = { NATCHET_NATS_SERVER: testBinary, ...options.env };
  const child = startScript(options.runtime ?? thisRuntime, script, { args, env });
  const events = (name: string) =>
    child
      .output()
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line))
      .filter((line) => line.event === name);
  return {
    ...child,
    events,
    ready: async () => {
      await child.said(`"event":"ready"`);
      return events("ready")[0] as { url: string; isOwner: boolean };
    },
  };
}

/** The server program of the tests. */
export const testBinary: string = (await findServerBinary()).path;

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The address that the owner has written. */
export const addressOf = (directory: string): Address => new Home(directory).readAddress()!;

/** A directory of its own for a test. */
export const makeDirectory = (): string => join(mkdtempSync(join(tmpdir(), "natchet-embedded-")), ".natchet");

export function removeDirectory(directory: string): void {
  rmSync(dirname(directory), { recursive: true, force: true });
}

/** Ends a process that a test does not need any more; its end is waited for, and has to come. */
export async function endMember(member: Member): Promise<void> {
  if (isAlive(member.pid)) member.send("SIGTERM");
  let isOver = false;
  void member.exited.then(() => (isOver = true));
  const story = () => `member ${member.pid} to end after SIGTERM:\n${member.output()}`;
  await waitFor(() => isOver, 20_000, story);
}

/** Puts text into a stream of its own at the server. */
export async function store(url: string, text: string): Promise<void> {
  await withJetStream(url, async (nc) => {
    const manager = await jetstreamManager(nc);
    await manager.streams.add({ name: "KEPT", subjects: ["kept"] });
    await jetstream(nc).publish("kept", text);
  });
}

/** Every text that was stored, in order. */
export async function readStored(url: string): Promise<string[]> {
  return await withJetStream(url, async (nc) => {
    const stream = await (await jetstreamManager(nc)).streams.get("KEPT");
    const { state } = await stream.info();
    const texts: string[] = [];
    for (let seq = state.first_seq; seq <= state.last_seq; seq++)
      texts.push((await stream.getMessage({ seq }))!.string());
    return texts;
  });
}

async function withJetStream<A>(url: string, use: (nc: NatsConnection) => Promise<A>): Promise<A> {
  const nc = await connect({ ...loginIn(url), reconnect: false });
  try {
    return await use(nc);
  } finally {
    await nc.close();
  }
}

export const untilGone = (pid: number, what: string): Promise<void> =>
  waitFor(() => !isAlive(pid), 10_000, `${what} (${pid}) to be gone`);
