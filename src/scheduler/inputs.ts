/** What the runtime takes for a small array beside its bytes, about. */
const overheadBytes = 72;
const sizeOf = (input: Uint8Array): number => (input.length === 0 ? 0 : input.length + overheadBytes);

/** How much of the inputs of live runs is kept in memory; what is not kept is read back from the log. */
export class Inputs {
  readonly #budgetBytes: number;
  #bytes = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A copy, since inputs come as views on the connection's buffer; undefined when it would go over the budget. */
  keep(input: Uint8Array | undefined): Uint8Array | undefined {
    if (input === undefined || input.length === 0) return input;
    if (this.#bytes + sizeOf(input) > this.#budgetBytes) return undefined;
    this.#bytes += sizeOf(input);
    return new Uint8Array(input); // never `slice`: it may be a Buffer, and a slice of that would keep all that was read with it
  }

  release(kept: Uint8Array | undefined): void {
    if (kept !== undefined) this.#bytes -= sizeOf(kept);
  }
}
