// The inputs of live runs: kept in memory up to a budget. The others are read back from the log.
/** What the runtime needs for a small array besides its bytes, roughly. */
const overheadBytes = 72;
/** What the inputs of a bundle need: the bytes, where each ends, and the containers of both. */
const sizeOfBundled = (count: number, bytes: number): number => bytes + count * 4 + 3 * overheadBytes;
const sizeOf = (input: Uint8Array): number => (input.length === 0 ? 0 : input.length + overheadBytes);

/**
 * The inputs of a bundle in one piece: an array for each would dominate garbage collection. The piece is kept, and counts, until
 * the last of its runs has ended.
 */
export class BundledInputs {
  readonly #bytes: Uint8Array;
  readonly #ends: Uint32Array;
  /** Number of runs with their input here. Written by {@link Inputs} only. */
  users = 0;

  constructor(inputs: readonly Uint8Array[], length: number) {
    this.#bytes = new Uint8Array(length);
    this.#ends = new Uint32Array(inputs.length);
    let end = 0;
    for (let place = 0; place < inputs.length; place++) {
      this.#bytes.set(inputs[place]!, end);
      end += inputs[place]!.length;
      this.#ends[place] = end;
    }
  }

  get size(): number {
    return sizeOfBundled(this.#ends.length, this.#bytes.length);
  }

  at(place: number): Uint8Array {
    return this.#bytes.subarray(place === 0 ? 0 : this.#ends[place - 1], this.#ends[place]);
  }
}

/** What a run keeps: its own input, or that of its bundle. */
export type KeptInput = Uint8Array | BundledInputs | undefined;

/** The budget, and what has been taken of it. */
export class Inputs {
  readonly #budgetBytes: number;
  #bytes = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A copy, since inputs are views on the connection's buffer; undefined if it would exceed the budget. */
  keep(input: Uint8Array | undefined): Uint8Array | undefined {
    if (input === undefined || input.length === 0) return input;
    if (this.#bytes + sizeOf(input) > this.#budgetBytes) return undefined;
    this.#bytes += sizeOf(input);
    return new Uint8Array(input); // never `slice`: it may be a Buffer, whose slice would keep everything that was read with it
  }

  /** The same for the inputs of a bundle; they count once a run has {@link share}d them. */
  keepAll(inputs: readonly (Uint8Array | undefined)[]): BundledInputs | undefined {
    let length = 0;
    for (const input of inputs) {
      if (input === undefined) return undefined;
      length += input.length;
    }
    const isRoom = this.#bytes + sizeOfBundled(inputs.length, length) <= this.#budgetBytes;
    return isRoom ? new BundledInputs(inputs as readonly Uint8Array[], length) : undefined;
  }

  share(kept: BundledInputs | undefined): BundledInputs | undefined {
    if (kept !== undefined && kept.users++ === 0) this.#bytes += kept.size;
    return kept;
  }

  release(kept: KeptInput): void {
    if (kept === undefined) return;
    if (!(kept instanceof BundledInputs)) this.#bytes -= sizeOf(kept);
    else if (--kept.users === 0) this.#bytes -= kept.size;
  }
}
