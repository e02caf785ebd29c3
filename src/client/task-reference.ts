// A task that a caller can run: by its name, with the types and schemas that the caller knows.
import { InvalidData, PayloadTooLarge } from "../domain/errors.ts";
import { keyOf } from "../domain/run.ts";
import { type StandardSchema, validate } from "../domain/schema.ts";
import type { NatsLink } from "../nats/link.ts";
import type { Publisher } from "../nats/publisher.ts";
import { jsonBytes } from "../protocol/bytes.ts";
import { encodeRunEntry } from "../protocol/run-entry.ts";
import type { Subjects } from "../protocol/subjects.ts";
import { type EnqueueOptions, entryOf } from "./enqueue-options.ts";
import { type HandleParts, RunHandle } from "./run-handle.ts";

export interface TaskParts extends Omit<HandleParts, "readOutput"> {
  readonly link: NatsLink;
  readonly publisher: Publisher;
  readonly subjects: Subjects;
  readonly nextId: () => string;
}

export interface TaskShape {
  readonly name: string;
  readonly input?: StandardSchema | undefined;
  readonly output?: StandardSchema | undefined;
}

/** Options for many runs: the same for all, or made for each. */
export type ManyOptions<Input> = EnqueueOptions | ((input: Input, index: number) => EnqueueOptions);

/** The most runs that one call takes. */
export const mostInACall = 10_000;

export class TaskReference<Args extends readonly [input?: unknown], Output> {
  readonly name: string;
  readonly #shape: TaskShape;
  readonly #parts: TaskParts;
  readonly #handleParts: HandleParts;

  constructor(shape: TaskShape, parts: TaskParts) {
    this.name = shape.name;
    this.#shape = shape;
    this.#parts = parts;
    this.#handleParts = {
      results: parts.results,
      requests: parts.requests,
      readOutput: (output) => this.#checkOutput(output),
    };
  }

  /**
   * Runs the task and waits for its output.
   *
   * Fails: RunFailed, RunCancelled, InvalidData, PayloadTooLarge, QueueFull
   */
  async run(...given: [...input: Args, options?: EnqueueOptions]): Promise<Output> {
    return this.#checkOutput(await this.#runOne(given[0], given[1] as EnqueueOptions | undefined)) as Output;
  }

  /** Stores a run and returns at once; it is executed whatever happens to this process. */
  async enqueue(...given: [...input: Args, options?: EnqueueOptions]): Promise<RunHandle<Output>> {
    const { id, created } = await this.#create(
      given[0],
      given[1] as EnqueueOptions | undefined,
      "",
      this.#parts.nextId,
    );
    return new RunHandle<Output>(this.name, id, created, this.#handleParts);
  }

  /** Runs many and waits for all outputs, in the order of the inputs; the first failure rejects. */
  async runMany(inputs: readonly Args[0][], options?: ManyOptions<Args[0]>): Promise<Output[]> {
    assertCount(inputs);
    const outputs = await Promise.all(inputs.map((input, i) => this.#runOne(input, optionsFor(options, input, i))));
    return outputs.map((output) => this.#checkOutput(output) as Output);
  }

  /** Stores many runs; handles in the order of the inputs. */
  async enqueueMany(inputs: readonly Args[0][], options?: ManyOptions<Args[0]>): Promise<RunHandle<Output>[]> {
    assertCount(inputs);
    const created = await Promise.all(
      inputs.map((input, i) => this.#create(input, optionsFor(options, input, i), "", this.#parts.nextId)),
    );
    return created.map((run) => new RunHandle<Output>(this.name, run.id, run.created, this.#handleParts));
  }

  async #runOne(input: unknown, options: EnqueueOptions | undefined): Promise<unknown> {
    const { results, nextId } = this.#parts;
    const id = options?.id ?? nextId();
    const key = keyOf(this.name, id);
    // Waits first, so that a result which is faster than the acknowledgement is not missed.
    const output = results.wait(key, false);
    const created = this.#create(input, options, results.inbox, () => id).then(
      (run) => {
        if (!run.created) results.ask(key);
      },
      (error: Error) => results.abandon(key, error),
    );
    await created;
    return output;
  }

  async #create(input: unknown, options: EnqueueOptions | undefined, inbox: string, nextId: () => string) {
    const { link, publisher, subjects } = this.#parts;
    if (this.#shape.input !== undefined) await this.#check("input", input);
    const bytes = jsonBytes(input);
    const payload = encodeRunEntry(entryOf(options, inbox, bytes, Date.now()));
    // An outcome repeats the input, and an assignment frames it: both must fit too.
    if (payload.length + 1_024 > link.maxPayload)
      throw new PayloadTooLarge({
        what: `the input of task "${this.name}"`,
        bytes: bytes.length,
        limit: link.maxPayload,
      });
    const id = options?.id ?? nextId();
    const result = await publisher.append(subjects.run(this.name, id), payload, 0);
    return { id, created: result.ok };
  }

  async #check(what: "input" | "output", value: unknown): Promise<unknown> {
    const validation = await validate(this.#shape[what], value);
    if ("issues" in validation) throw new InvalidData({ what, task: this.name, issues: validation.issues });
    return validation.value;
  }

  /** The worker has checked the output; here a schema's transforms make of JSON what the contract promises. */
  #checkOutput(output: unknown): unknown {
    const validation = validate(this.#shape.output, output);
    if (validation instanceof Promise) return output;
    if ("issues" in validation) throw new InvalidData({ what: "output", task: this.name, issues: validation.issues });
    return validation.value;
  }
}

function optionsFor<I>(options: ManyOptions<I> | undefined, input: I, index: number): EnqueueOptions | undefined {
  return typeof options === "function" ? options(input, index) : options;
}

function assertCount(inputs: readonly unknown[]): void {
  if (inputs.length > mostInACall)
    throw new RangeError(
      `${inputs.length} runs in one call, at most ${mostInACall} are taken; call once for every ${mostInACall}`,
    );
}
