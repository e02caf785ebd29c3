// What differs between Bun, Deno and Node, and what a process is told by signals.
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

declare const Bun: { readonly version: string } | undefined;
declare const Deno: { readonly version: { readonly deno: string } } | undefined;

/** Whether `terminate()` stops a thread that computes; on Deno it goes on until its code has ended, and `exit` is told before. */
export const interruptsThreads = (): boolean => typeof Deno === "undefined";

/** For example `bun 1.4.5`. */
export function runtimeName(): string {
  if (typeof Bun !== "undefined") return `bun ${Bun.version}`;
  if (typeof Deno !== "undefined") return `deno ${Deno.version.deno}`;
  return `node ${process.versions.node}`;
}

/** Fails: Error on a Node that is older than what runs workers and engines; clients go further back */
export function assertRunsWorkers(where: string): void {
  if (!runtimeName().startsWith("node ") || Number.parseInt(process.versions.node, 10) >= oldestNode) return;
  throw new Error(
    `${where} needs Node ${oldestNode} or newer, Bun or Deno, and this is ${runtimeName()}; import connect from "natchet/client" where you only call tasks`,
  );
}

const oldestNode = 22;

/** A name for this process, unique across machines: whatever lives in it dies with it. */
export function processName(): string {
  let host = "";
  try {
    host = hostname().slice(0, 100);
  } catch {} // not permitted to ask for it
  return `${host}/${process.pid}/${Math.round(performance.timeOrigin)}/${pidSpace()}`;
}

/**
 * Whether the process of that name has ended for sure. False where that cannot be seen: it is on another machine, in another container, or
 * not on Linux.
 */
export function hasEnded(name: string): boolean {
  const [, pid, , space] = name.split("/");
  if (!space || space !== pidSpace()) return false;
  if (Number(pid) === process.pid) return name !== processName();
  try {
    process.kill(Number(pid), 0);
    return false; // it lives, or another one has its number now
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** The scope in which a process id is unique: this boot of this machine, and this container. Empty = not known. */
function pidSpace(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return "";
  }
}

const stopSignals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
/** Ctrl-C reaches all processes of the terminal, and npm, npx and the like also pass it on: these count as one signal. */
const echoMs = 300;

/**
 * Calls back on the first SIGTERM, SIGINT or SIGHUP; the second ends the process at once, unless something else is to happen then.
 * Returns the function that stops listening. Under `nohup` SIGHUP stays ignored.
 */
export function onStopSignal(
  stop: (signal: string) => void,
  stopAtOnce: () => void = () => process.exit(130),
): () => void {
  let stoppingSince: number | undefined;
  const isNohup = noteNohup(); // before there is any listener: on Deno, a listener for another signal undoes it, too
  const listen = (signal: (typeof stopSignals)[number]): (() => void) => {
    const isIgnored = signal === "SIGHUP" && isNohup;
    const listener = () => {
      if (isIgnored) return;
      if (stoppingSince === undefined) {
        stoppingSince = performance.now();
        stop(signal);
      } else if (performance.now() - stoppingSince > echoMs) stopAtOnce();
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  };
  const stopListening = stopSignals.map(listen);
  return () => {
    for (const end of stopListening) end();
  };
}

/** Whether this process is meant to outlive its terminal. Noted in a variable too: any listener undoes the mask, here and for children. */
function noteNohup(): boolean {
  try {
    const [, mask] = /^SigIgn:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    if (mask !== undefined && (BigInt(`0x${mask}`) & 1n) === 1n) process.env.NATCHET_NOHUP = "1";
    return process.env.NATCHET_NOHUP === "1";
  } catch {
    return false; // cannot be seen from here
  }
}

export interface UnhandledListener {
  /** Whether the current error is for this listener; called in the context of the error, where the runtime keeps it. */
  readonly takes: () => boolean;
  readonly handle: (error: unknown) => void;
}

/** Set on our listeners to tell them from those of the program. Other copies of natchet know it, too. */
const takesIt = Symbol.for("natchet.takes-unhandled");
const unhandledEvents = ["unhandledRejection", "uncaughtException"] as const;
type Listener = ((error: unknown) => void) & { readonly [takesIt]?: () => boolean };

/** What no listener handles, whether natchet's or the program's, is left to the runtime. Returns the function that stops listening. */
export function onUnhandledError({ takes, handle }: UnhandledListener): () => void {
  const listen = () => {
    for (const event of unhandledEvents) process.on(event, listener);
  };
  const stop = () => {
    for (const event of unhandledEvents) process.off(event, listener);
  };
  const listener: Listener = Object.assign(
    (error: unknown) => {
      if (takes()) handle(error);
      else if (!isTaken()) giveBack(error, stop, listen);
    },
    { [takesIt]: takes },
  );
  listen();
  return stop;
}

/** A listener without the mark is the program's own, and has the last word. */
const isTaken = (): boolean =>
  (process.listeners("uncaughtException") as Listener[])
    .concat(process.listeners("unhandledRejection") as Listener[])
    .some((listener) => listener[takesIt]?.() ?? true);

/** Thrown again without a listener, so that the runtime does what it does by default. */
function giveBack(error: unknown, stop: () => void, listen: () => void): void {
  stop();
  setTimeout(listen, 0); // if the process survives
  queueMicrotask(() => {
    throw error;
  });
}

export const exitProcess = (code: number): never => process.exit(code);
