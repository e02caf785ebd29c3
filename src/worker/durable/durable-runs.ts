// What the durable tasks of a worker need: their journals, kept frames, and how a run's code is called.
import { AsyncLocalStorage } from "node:async_hooks";
import type { DurableContext } from "../../domain/durable-context.ts";
import type { Log } from "../../domain/log.ts";
import { keyOf } from "../../domain/run.ts";
import type { WorkerTask } from "../../domain/worker.ts";
import { openInput, openSignal, takeInput } from "../../sealing/sealed.ts";
import type { Vault } from "../../sealing/vault.ts";
import { accepted } from "../accepted.ts";
import { type ContextSource, RunContext, within } from "../context.ts";
import type { DescribedTask } from "../worker-parts.ts";
import type { ChildrenOfRun, ParentRun } from "./children.ts";
import { countedLog } from "./counted-log.ts";
import { type ContextParts, RunningDurable } from "./durable-context.ts";
import type { Frame } from "./frame.ts";
import type { KeptFrames } from "./kept-frames.ts";
import { SealedJournal } from "./sealed-journal.ts";
import type { QuickChildren, TurnHost } from "./turn-host.ts";

export interface DurableRunsParts
  extends Pick<TurnHost, "journal" | "clock" | "signals" | "log" | "graceMs" | "isHeard" | "onLeftBehind"> {
  /** Seals and opens what journals hold; absent if encryption is off. */
  readonly vault?: Vault | undefined;
  readonly childrenOf: (parent: ParentRun) => ChildrenOfRun;
  readonly frames: KeptFrames;
  /** Reads an input that did not fit into its assignment. Fails: StoreUnavailable. @default every input fits */
  readonly inputOf?: ((run: InputPlace) => Promise<string>) | undefined;
  /** The tasks of a class, by method. Fails: TypeError for anything but a worker class */
  readonly describe: (cls: Function) => ReadonlyMap<string, DescribedTask>;
}

export interface InputPlace {
  readonly key: string;
  readonly origin: number;
}

export interface LapInput {
  /** JSON; empty for undefined. */
  readonly input: string;
  /** Whether the run's caller gave this input. The input of a later lap comes from the journal and was sealed with it. */
  readonly isFirst: boolean;
}

export class DurableRuns {
  readonly parts: DurableRunsParts;
  readonly #contexts = new WeakMap<Frame, RunContext>();
  /** By task, because what is true of many of its runs is logged once. */
  readonly #hosts = new Map<string, TurnHost>();
  readonly #quick: QuickChildren = new Map();

  constructor(parts: DurableRunsParts) {
    const { vault, journal } = parts;
    this.parts = vault === undefined ? parts : { ...parts, journal: new SealedJournal(journal, vault) };
  }

  hostFor({ name, code = "by hand" }: WorkerTask): TurnHost {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const { vault, log, onLeftBehind = warnOnce(log, name) } = this.parts;
    const host: TurnHost = {
      ...this.parts,
      ...{ log: countedLog(log, name), onLeftBehind, code, quick: this.#quick, newAttempt: randomAttempt },
      openSignal: (key, signal, data) => openSignal(vault, key, signal, data),
    };
    this.#hosts.set(name, host);
    return host;
  }

  /** From now on, what the code of a frame logs and asks for belongs to this attempt. */
  own(frame: Frame, source: ContextSource): void {
    this.#contexts.get(frame)?.continueAs(source);
  }

  /** The input in the run's entry, as JSON. Fails: StoreUnavailable */
  async inputOf(run: InputPlace): Promise<string> {
    return (await this.parts.inputOf?.(run)) ?? "";
  }

  /** The code of a lap, with its input checked. Fails: InvalidData, DecryptionFailed, NonRetryableError for a plain input that must not be */
  async codeFor(
    task: WorkerTask,
    { input, isFirst }: LapInput,
    source: ContextSource,
    enqueue: ContextParts["enqueue"],
  ): Promise<(frame: Frame) => unknown> {
    const { name } = task;
    const { vault } = this.parts;
    const taskOf = (cls: Function, method: string) => this.#taskOf(cls, method);
    const key = keyOf(name, source.runId);
    const stored: unknown = input === "" ? undefined : JSON.parse(input);
    const opened = await (isFirst ? takeInput : openInput)(vault, name, key, stored);
    // A schema's code must execute outside the run's context, because it is not part of the run's code.
    const given = await outside(() => accepted("input", task, opened));
    return (frame) => {
      const run = new RunContext(given, source);
      this.#contexts.set(frame, run);
      return within(run, () => methodOf(task, given, new RunningDurable(frame, { run, taskOf, enqueue })));
    };
  }

  /** The task of a method. Fails: TypeError that lists the tasks */
  #taskOf(cls: Function, method: string): string {
    const { describe, vault } = this.parts;
    const tasks = describe(cls);
    const task = tasks.get(method);
    if (task === undefined) {
      const known = [...tasks.keys()].join(", ");
      throw new TypeError(`${cls.name || "the class"}.${method} is not a task; use one of ${known}`);
    }
    vault?.declare(task.name, task.plain);
    return task.name;
  }
}

const howToAwait =
  "await it; or, if its result may be lost, leave it to a ctx.race, which ends those that have not won";

/** Warns once. Not for a method that threw: it may leave ops behind that were called together with the one that failed. */
function warnOnce(log: Log, task: string): TurnHost["onLeftBehind"] {
  let isTold = false;
  return (run, ops, threw) => {
    if (isTold || threw) return;
    isTold = true;
    log.warn(`a durable method of task "${task}" ended without ${ops.join(", ")}, which was given up: ${howToAwait}`, {
      run,
    });
  };
}

function methodOf({ name, handler }: WorkerTask, input: unknown, ctx: DurableContext): unknown {
  const returned = handler(input, ctx as never);
  if (typeof (returned as PromiseLike<unknown> | undefined)?.then === "function") return returned;
  throw new TypeError(`the durable method of task "${name}" is not async; write async before its name`);
}

const outside = AsyncLocalStorage.snapshot() as <T>(call: () => T) => T;

/** 53 random bits. */
const randomAttempt = (): number => {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  return (high! & 0x1f_ffff) * 2 ** 32 + low!;
};
