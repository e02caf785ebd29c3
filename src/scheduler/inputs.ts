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
    if (input === undefined || this.#bytes + input.length > this.#budgetBytes) return undefined;
    this.#bytes += input.length;
    return input.length === 0 ? input : input.slice();
  }

  release(kept: Uint8Array | undefined): void {
    if (kept !== undefined) this.#bytes -= kept.length;
  }
}
