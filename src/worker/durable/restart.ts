/** What a durable method returns to start again with this input and an empty journal. */
export class Restart {
  /** JSON; empty for undefined. */
  readonly input: string;

  constructor(input: string) {
    this.input = input;
  }
}
