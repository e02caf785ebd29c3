// A task that a caller can run: by its name, with the types and schemas that the caller knows.
import { atAwaiter } from "../domain/at-caller.ts";
import { InvalidData, PayloadTooLarge, StoreUnavailable } from "../domain/errors.ts";
import type { Parent } from "../domain/policies.ts";
import { keyOf } from "../domain/run.ts";
import { bundleOfId } from "../domain/run-id.ts";
import { type StandardSchema, type Validation, validate } from "../domain/schema.ts";
import { toText } from "../domain/thrown.ts";
import type { AdmissionGate } from "../nats/admission-gate.ts";
import type { NatsLink } from "../nats/link.ts";
import type { Publisher, Witness } from "../nats/publisher.ts";
import { newestFromLeader } from "../nats/stored-message.ts";
import { sealInput } from "../sealing/sealed.ts";
import { runsOfBundle } from "../wire/bundle-entry.ts";
import { jsonBytes } from "../wire/bytes.ts";
import { largestCarriedInput } from "../wire/carried-input.ts";
import { decodeRunEntry, encodeRunEntry, type RunEntry } from "../wire/run-entry.ts";
import type { Subjects } from "../wire/subjects.ts";
import type { Bundler, Stored } from "./bundler.ts";
import { CallLimit, type CallLimits } from "./call-limit.ts";
import { type EnqueueOptions, entryOf } from "./enqueue-options.ts";
import type { AroundEnqueue, Enqueued, Enqueueing } from "./middleware.ts";
import { type HandleParts, RunHandle } from "./run-handle.ts";

/** @internal */
export interface TaskParts extends Omit<HandleParts, "readOutput"> {
  readonly link: NatsLink;
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  readonly bundler: Bundler;
  readonly gate: AdmissionGate;
  /** The middleware of the client, if it has one. */
  readonly around: AroundEnqueue | undefined;
  /** The run around a call, if there is one. */
  readonly parent: (() => Parent | undefined) | undefined;
  readonly isClosed: () => boolean;
}

export interface TaskShape {
  readonly name: string;
  readonly input?: StandardSchema | undefined;
  readonly output?: StandardSchema | undefined;
  /** Fields of its input that stay readable where inputs are encrypted. */
  readonly plain?: readonly string[] | undefined;
  /** Outputs are checked but returned as JSON, without the schema's transforms: the types of a class say no more. */
  readonly givesWireOutput?: boolean;
}

/** The parameters before the options: an input that may be undefined may be left out. */
export type ArgsOf<Input> = undefined extends Input ? [input?: Input] : [input: Input];

/** Options for many runs: the same for all, or computed for each. */
export type ManyOptions<Input> = CallOptions | ((input: Input, index: number) => CallOptions | undefined);

/** Options for one run, and limits of the call. */
export interface CallOptions extends EnqueueOptions, CallLimits {}

/** A run ready to be stored: in a bundle, or by itself with this payload. */
interface Prepared {
  readonly entry: RunEntry;
  readonly payload?: Uint8Array;
}

/** A run on its way into the store. */
interface Begun extends Stored {
  /** Where somebody waits for it. */
  readonly output?: Promise<unknown>;
}

/** Reserved for what the engine and the worker add to an input: assignments and outcomes, which repeat it, must fit too. */
const recordBytes = 17 * 1024;

/** A result within this time counts as an acknowledgement of the run. Units: milliseconds */
const quickMs = 250;

/** A task to run. Made by {@link Natchet.tasks} and {@link Natchet.task}. */
export class TaskReference<Args extends readonly [input?: unknown], Output> {
  /** What callers name it by. */
  readonly name: string;
  /** The last run ended so soon that the next one probably will as well. */
  #isQuick = false;
  readonly #shape: TaskShape;
  readonly #parts: TaskParts;
  readonly #handleParts: HandleParts;

  /** @internal */
  constructor(shape: TaskShape, parts: TaskParts) {
    this.name = shape.name;
    this.#shape = shape;
    this.#parts = parts;
    this.#handleParts = { ...parts, readOutput: (output) => this.#checkOutput(output) };
  }

  /**
   * Runs the task and waits for its output.
   *
   * `timeout` and `signal` end the wait: the run itself continues and is not cancelled.
   *
   * Fails: RunFailed, RunCancelled, InvalidData, PayloadTooLarge, QueueFull; given up: ResultNotAwaited once the run is stored,
   * EnqueueNotConfirmed before
   * @example
   * ```ts
   * await natchet.tasks(EmailWorker).send.run({ to: "ada@example.com" }, { timeout: "30s", signal: request.signal });
   * ```
   */
  async run(...given: [...input: Args, options?: CallOptions]): Promise<Output> {
    try {
      return (await this.#call(given[0], given[1] as CallOptions | undefined, true)) as Output;
    } catch (error) {
      throw atAwaiter(this.run, error);
    }
  }

  /**
   * Stores a run and returns; from then on it will be executed whatever happens to this process. While NATS is away, the call waits
   * for it, unless `timeout` or `signal` end the wait.
   *
   * A call that was given up may still store its run once NATS is back: with your own `id`, a second call returns the same run.
   *
   * Fails: InvalidData, PayloadTooLarge, QueueFull; EnqueueNotConfirmed when it was given up
   */
  async enqueue(...given: [...input: Args, options?: CallOptions]): Promise<RunHandle<Output>> {
    try {
      return (await this.#call(given[0], given[1] as CallOptions | undefined, false)) as RunHandle<Output>;
    } catch (error) {
      throw atAwaiter(this.enqueue, error);
    }
  }

  /** Runs many and waits for all outputs, in the order of the inputs; the first failure rejects. */
  async runMany(inputs: readonly Args[0][], options?: ManyOptions<Args[0]>): Promise<Output[]> {
    const optionsAt = optionsFor(options);
    try {
      return (await Promise.all(inputs.map((input, i) => this.#call(input, optionsAt(input, i), true)))) as Output[];
    } catch (error) {
      throw atAwaiter(this.runMany, error);
    }
  }

  /** Stores many runs; handles in the order of the inputs. When it rejects, some may have been stored. */
  async enqueueMany(inputs: readonly Args[0][], options?: ManyOptions<Args[0]>): Promise<RunHandle<Output>[]> {
    const optionsAt = optionsFor(options);
    try {
      const stored = inputs.map((input, i) => this.#call(input, optionsAt(input, i), false));
      return (await Promise.all(stored)) as RunHandle<Output>[];
    } catch (error) {
      throw atAwaiter(this.enqueueMany, error);
    }
  }

  /** Its output, or a handle on it. */
  #call(input: unknown, options: CallOptions | undefined, isAwaited: boolean): Promise<unknown> {
    if (!isLimited(options)) return isAwaited ? this.#run(input, options) : this.#enqueue(input, options);
    const { timeout, signal, ...rest } = options;
    const limit = new CallLimit({ timeout, signal }, this.name, isAwaited ? "output" : "acknowledgement");
    return limit.around(isAwaited ? this.#run(input, rest, limit) : this.#enqueue(input, rest, limit));
  }

  async #enqueue(input: unknown, options: EnqueueOptions | undefined, limit?: CallLimit): Promise<RunHandle<Output>> {
    const { id, stored } = await this.#begin(input, options, false, limit);
    return new RunHandle<Output>(this.name, id, await stored, this.#handleParts);
  }

  async #run(input: unknown, options: EnqueueOptions | undefined, limit?: CallLimit): Promise<unknown> {
    const startedAt = performance.now();
    const { output } = await this.#begin(input, options, true, limit);
    const value = await output;
    this.#isQuick = performance.now() - startedAt < quickMs;
    return this.#checkOutput(value);
  }

  /** Sends a run on its way; it is checked first, as it was given. */
  async #begin(
    input: unknown,
    options: EnqueueOptions | undefined,
    isAwaited: boolean,
    limit: CallLimit | undefined,
  ): Promise<Begun> {
    const { around } = this.#parts;
    if (around !== undefined) return this.#beginWithin(around, input, options, isAwaited, limit);
    const run = this.#prepare(input, options, isAwaited);
    if (this.#shape.input !== undefined) await this.#checkInput(input);
    return this.#send(run, options, isAwaited, limit);
  }

  /** A middleware may change the run, store several, or name another one. */
  async #beginWithin(
    around: AroundEnqueue,
    input: unknown,
    options: EnqueueOptions = {},
    isAwaited: boolean,
    limit: CallLimit | undefined,
  ): Promise<Begun> {
    if (this.#shape.input !== undefined) await this.#checkInput(input);
    const sent = new Map<string, Promise<unknown>>();
    const store = async (call: Enqueueing): Promise<Enqueued> => {
      limit?.assertOpen();
      const run = this.#prepare(call.input, call.options, isAwaited);
      const { id, stored, output } = this.#send(run, call.options, isAwaited, limit);
      output?.catch(() => {}); // it may end before the middleware does
      const created = await stored;
      if (output !== undefined) sent.set(id, output);
      return { id, created };
    };
    const { id, created } = await around({ task: this.name, input, options }, store);
    const stored = Promise.resolve(created);
    if (!isAwaited) return { id, stored };
    return { id, stored, output: sent.get(id) ?? this.#parts.results.wait(keyOf(this.name, id)).output };
  }

  /** Stores a run. Whoever waits for its output begins to wait before it is stored. */
  #send(run: Prepared, options: EnqueueOptions | undefined, isAwaited: boolean, limit: CallLimit | undefined): Begun {
    limit?.assertOpen();
    const { results } = this.#parts;
    const begun = this.#store(run, options, isAwaited && this.#isQuick ? results : undefined);
    const { id, stored } = begun;
    const expected = isAwaited ? results.expect(keyOf(this.name, id), options?.id === undefined) : undefined;
    limit?.storing(id, stored, expected?.giveUp);
    if (expected === undefined) return begun;
    stored.then(expected.stored, expected.giveUp);
    return { id, stored, output: expected.output };
  }

  /** A run is checked before anything is stored or awaited. */
  #prepare(input: unknown, options: EnqueueOptions | undefined, isAwaited: boolean): Prepared {
    if (this.#parts.isClosed())
      throw new StoreUnavailable({
        operation: `take a run of task "${this.name}"`,
        reason: "the client was closed; connect again",
      });
    this.#parts.gate.assertOpen();
    const hasOwnId = options?.id !== undefined;
    const inbox = isAwaited ? this.#parts.results.inboxFor(!hasOwnId) : "";
    const entry = entryOf(options, inbox, this.#inputBytes(input), Date.now(), this.#parts.parent?.());
    if (!hasOwnId && entry.extra === undefined && entry.input.length <= largestCarriedInput) return { entry };
    const payload = encodeRunEntry(entry);
    const bytes = payload.length + recordBytes;
    if (bytes > this.#parts.link.maxPayload) throw this.#tooLarge(entry, bytes);
    return hasOwnId || payload.length > largestCarriedInput ? { entry, payload } : { entry };
  }

  #inputBytes(input: unknown): Uint8Array {
    const { vault } = this.#parts;
    const json = inputBytes(input, this.name);
    return vault === undefined ? json : sealInput(vault, this.name, { value: input, json, plain: this.#shape.plain });
  }

  #store({ entry, payload }: Prepared, options: EnqueueOptions | undefined, witness?: Witness): Stored {
    const { bundler } = this.#parts;
    if (payload === undefined) return bundler.add(this.name, entry, witness);
    const id = options?.id;
    if (id !== undefined) return { id, stored: this.#createAs(id, payload) };
    const made = bundler.nextId();
    return { id: made, stored: this.#append(made, payload) };
  }

  #tooLarge(entry: RunEntry, bytes: number): PayloadTooLarge {
    const what = `the input of task "${this.name}" (${entry.input.length} bytes) with what is recorded along with it`;
    return new PayloadTooLarge({ what, bytes, limit: this.#parts.link.maxPayload });
  }

  /** A generated id may be in a bundle, where the server does not see it. */
  async #createAs(id: string, payload: Uint8Array): Promise<boolean> {
    const { link, subjects } = this.#parts;
    const name = bundleOfId(id);
    if (name !== undefined) {
      const bundle = await newestFromLeader(link, subjects.stream, subjects.bundle(this.name, name));
      if (bundle !== undefined && runsOfBundle(decodeRunEntry(bundle.data)).some((run) => run.id === id)) return false;
    }
    return this.#append(id, payload);
  }

  /** Whether it was created; false when the id existed. */
  async #append(id: string, payload: Uint8Array): Promise<boolean> {
    const { publisher, subjects } = this.#parts;
    return (await publisher.append(subjects.run(this.name, id), payload, 0)).ok;
  }

  async #checkInput(input: unknown): Promise<void> {
    this.#accepted("input", await validate(this.#shape.input, input));
  }

  /** The worker has checked the output; here the schema's transforms turn JSON into what the contract promises. */
  #checkOutput(output: unknown): unknown {
    const { output: schema, givesWireOutput } = this.#shape;
    if (schema === undefined) return output;
    const accept = (validation: Validation) => {
      const value = this.#accepted("output", validation);
      return givesWireOutput === true ? output : value;
    };
    const validation = validate(schema, output);
    return validation instanceof Promise ? validation.then(accept) : accept(validation);
  }

  #accepted(what: "input" | "output", validation: Validation): unknown {
    if ("issues" in validation) throw new InvalidData({ what, task: this.name, issues: validation.issues });
    return validation.value;
  }
}

function inputBytes(input: unknown, task: string): Uint8Array {
  try {
    return jsonBytes(input);
  } catch (cause) {
    throw new TypeError(`the input of task "${task}" cannot be written as JSON: ${toText(cause)}`, { cause });
  }
}

const isLimited = (options: CallOptions | undefined): options is CallOptions =>
  options?.timeout !== undefined || options?.signal !== undefined;

function optionsFor<I>(options: ManyOptions<I> | undefined): (input: I, index: number) => CallOptions | undefined {
  if (typeof options === "function") return options;
  if (options?.id !== undefined)
    throw new TypeError(
      `id: "${options.id}" would name all runs of this call; give a function, for example (input) => ({ id: input.orderId })`,
    );
  return () => options;
}
