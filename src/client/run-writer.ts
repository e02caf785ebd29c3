// The writer of new runs: each is encoded and checked first, and then goes into a bundle or into an entry of its own.
import { PayloadTooLarge, StoreUnavailable } from "../domain/errors.ts";
import type { Parent } from "../domain/policies.ts";
import { bundleOfId } from "../domain/run-id.ts";
import { toText } from "../domain/thrown.ts";
import { AdmissionGate } from "../nats/admission-gate.ts";
import type { Witness } from "../nats/publisher.ts";
import { newestFromLeader } from "../nats/stored-message.ts";
import { sealInput } from "../sealing/sealed.ts";
import type { Vault } from "../sealing/vault.ts";
import { runsOfBundle } from "../wire/bundle-entry.ts";
import { jsonBytes } from "../wire/bytes.ts";
import { largestCarriedInput } from "../wire/carried-input.ts";
import { decodeRunEntry, encodeRunEntry, type RunEntry } from "../wire/run-entry.ts";
import { Bundler, type BundlerParts, type Stored } from "./bundler.ts";
import { type EnqueueOptions, entryOf } from "./enqueue-options.ts";

export interface RunWriterParts extends BundlerParts {
  readonly vault: Vault | undefined;
  /** The run in whose code the call is made, if there is one. */
  readonly parent: (() => Parent | undefined) | undefined;
}

/** A run that is ready to be stored: with a payload as an entry of its own, without one in a bundle. */
export interface WrittenRun {
  readonly entry: RunEntry;
  readonly payload?: Uint8Array;
}

/** Room for what engines and workers add to an input: assignments and outcomes repeat it, and must fit into a message too. Units: bytes */
const recordBytes = 17 * 1024;

export class RunWriter {
  readonly #parts: RunWriterParts;
  readonly #bundler: Bundler;
  readonly #gate: AdmissionGate;
  #isClosed = false;

  constructor(parts: RunWriterParts) {
    this.#parts = parts;
    this.#bundler = new Bundler(parts);
    this.#gate = new AdmissionGate(parts.link, parts.subjects);
  }

  /** Encodes and checks a run; stores nothing. `inbox`: where its result is awaited. Fails: StoreUnavailable, QueueFull, PayloadTooLarge, TypeError, RangeError */
  write(
    task: { readonly name: string; readonly plain?: readonly string[] | undefined },
    input: unknown,
    options: EnqueueOptions | undefined,
    inbox: string,
  ): WrittenRun {
    this.#assertOpen(task.name);
    const hasOwnId = options?.id !== undefined;
    const entry = entryOf(options, inbox, this.#inputBytes(task, input), Date.now(), this.#parts.parent?.());
    if (!hasOwnId && entry.extra === undefined && entry.input.length <= largestCarriedInput) return { entry };
    const payload = encodeRunEntry(entry);
    const bytes = payload.length + recordBytes;
    if (bytes > this.#parts.link.maxPayload) throw this.#tooLarge(task.name, entry, bytes);
    return hasOwnId || payload.length > largestCarriedInput ? { entry, payload } : { entry };
  }

  /** Stores a run. `id`: the caller's own, if there is one. The `witness` sees the end of a run that is alone in its entry. */
  store(task: string, { entry, payload }: WrittenRun, id: string | undefined, witness?: Witness): Stored {
    if (payload === undefined) return this.#bundler.add(task, entry, witness);
    if (id !== undefined) return { id, stored: this.#appendOnce(task, id, payload) };
    const made = this.#bundler.nextId();
    return { id: made, stored: this.#append(task, made, payload) };
  }

  close(): void {
    this.#isClosed = true;
    this.#gate.close();
  }

  #assertOpen(task: string): void {
    if (this.#isClosed)
      throw new StoreUnavailable({
        operation: `take a run of task "${task}"`,
        reason: "the client was closed; connect again",
      });
    this.#gate.assertOpen();
  }

  #tooLarge(task: string, { input }: RunEntry, bytes: number): PayloadTooLarge {
    const what = `the input of task "${task}" (${input.length} bytes) with what is recorded along with it`;
    return new PayloadTooLarge({ what, bytes, limit: this.#parts.link.maxPayload });
  }

  #inputBytes({ name, plain }: Parameters<RunWriter["write"]>[0], input: unknown): Uint8Array {
    const { vault } = this.#parts;
    const json = inputJson(input, name);
    return vault === undefined ? json : sealInput(vault, name, { value: input, json, plain });
  }

  /** Stores a run unless its id exists. A generated id may stand in a bundle, where the server does not see it, so that is looked up first. */
  async #appendOnce(task: string, id: string, payload: Uint8Array): Promise<boolean> {
    const { link, subjects } = this.#parts;
    const name = bundleOfId(id);
    if (name !== undefined) {
      const bundle = await newestFromLeader(link, subjects.stream, subjects.bundle(task, name));
      if (bundle !== undefined && runsOfBundle(decodeRunEntry(bundle.data)).some((run) => run.id === id)) return false;
    }
    return this.#append(task, id, payload);
  }

  /** Returns whether the run was created; false if its id existed. */
  async #append(task: string, id: string, payload: Uint8Array): Promise<boolean> {
    const { publisher, subjects } = this.#parts;
    return (await publisher.append(subjects.run(task, id), payload, 0)).ok;
  }
}

function inputJson(input: unknown, task: string): Uint8Array {
  try {
    return jsonBytes(input);
  } catch (cause) {
    throw new TypeError(`the input of task "${task}" cannot be written as JSON: ${toText(cause)}`, { cause });
  }
}
