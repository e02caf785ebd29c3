// A reference to a task: how a caller runs it, by its name, with the types and schemas that the caller knows.
import { atAwaiter } from "../domain/at-caller.ts";
import { InvalidData } from "../domain/errors.ts";
import { keyOf } from "../domain/run.ts";
import { type StandardSchema, type Validation, validate } from "../domain/schema.ts";
import type { Stored } from "./bundler.ts";
import { CallLimit, type CallLimits } from "./call-limit.ts";
import type { EnqueueOptions } from "./enqueue-options.ts";
import type { AroundEnqueue, Enqueued, Enqueueing } from "./middleware.ts";
import { type HandleParts, RunHandle } from "./run-handle.ts";
import type { RunWriter, WrittenRun } from "./run-writer.ts";

/** @internal */
export interface TaskParts extends Omit<HandleParts, "readOutput"> {
  readonly writer: RunWriter;
  /** The middleware of the client, if it has one. */
  readonly around: AroundEnqueue | undefined;
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

/** A call for one run. */
interface Call {
  readonly input: unknown;
  readonly options: EnqueueOptions | undefined;
  /** Whether the caller waits for its output. */
  readonly isAwaited: boolean;
  /** When the caller gives up. */
  readonly limit?: CallLimit;
}

/** A run on its way into the store. */
interface Begun extends Stored {
  /** Set if the caller waits for it. */
  readonly output?: Promise<unknown>;
}

/** If runs of a task end within this time, their result stands for the acknowledgement of the next ones. Units: milliseconds */
const quickMs = 250;

/** A task to run. Made by {@link Natchet.tasks} and {@link Natchet.task}. */
export class TaskReference<Args extends readonly [input?: unknown], Output> {
  /** What callers name it by. */
  readonly name: string;
  /** The last run ended so soon that the next one probably will too. */
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

  #call(input: unknown, options: CallOptions | undefined, isAwaited: boolean): Promise<unknown> {
    if (!isLimited(options)) return this.#carryOut({ input, options, isAwaited });
    const { timeout, signal, ...rest } = options;
    const limit = new CallLimit({ timeout, signal }, this.name, isAwaited ? "output" : "acknowledgement");
    return limit.around(this.#carryOut({ input, options: rest, isAwaited, limit }));
  }

  /** Carries out a call. Returns the output of the run, or a handle on it. */
  async #carryOut(call: Call): Promise<unknown> {
    const startedAt = performance.now();
    const { around } = this.#parts;
    const { id, stored, output } = await (around === undefined ? this.#begin(call) : this.#beginWithin(around, call));
    if (output === undefined) return new RunHandle<Output>(this.name, id, await stored, this.#handleParts);
    const value = await output;
    this.#isQuick = performance.now() - startedAt < quickMs;
    return this.#checkOutput(value);
  }

  /** Checks the input as it was given, and sends the run on its way. */
  async #begin(call: Call): Promise<Begun> {
    const run = this.#write(call);
    if (this.#shape.input !== undefined) await this.#checkInput(call.input);
    return this.#send(call, run);
  }

  /** The same through middleware, which may change the run, store several, or name another one. */
  async #beginWithin(around: AroundEnqueue, call: Call): Promise<Begun> {
    const { input, options = {}, isAwaited } = call;
    if (this.#shape.input !== undefined) await this.#checkInput(input);
    const sent = new Map<string, Promise<unknown>>();
    const store = async (changed: Enqueueing): Promise<Enqueued> => {
      call.limit?.assertOpen();
      const its: Call = { ...call, input: changed.input, options: changed.options };
      const { id, stored, output } = this.#send(its, this.#write(its));
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

  /** Encodes and checks a run, before anything is stored or awaited. */
  #write({ input, options, isAwaited }: Call): WrittenRun {
    const { results, writer } = this.#parts;
    const inbox = isAwaited ? results.inboxFor(options?.id === undefined) : "";
    return writer.write(this.#shape, input, options, inbox);
  }

  /** Stores a run. The wait for its output begins before it is stored. */
  #send({ options, isAwaited, limit }: Call, run: WrittenRun): Begun {
    limit?.assertOpen();
    const { results, writer } = this.#parts;
    const begun = writer.store(this.name, run, options?.id, isAwaited && this.#isQuick ? results : undefined);
    const { id, stored } = begun;
    const expected = isAwaited ? results.expect(keyOf(this.name, id), options?.id === undefined) : undefined;
    limit?.storing(id, stored, expected?.giveUp);
    if (expected === undefined) return begun;
    stored.then(expected.stored, expected.giveUp);
    return { id, stored, output: expected.output };
  }

  async #checkInput(input: unknown): Promise<void> {
    this.#accepted("input", await validate(this.#shape.input, input));
  }

  /** The worker has checked the output already. Here the schema's transforms turn JSON into what the contract promises. */
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
