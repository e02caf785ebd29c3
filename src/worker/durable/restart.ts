/** What a durable method returns to start again with this input and an empty journal. */
export class Restart {
  readonly input: unknown;

  constructor(input: unknown) {
    this.input = input;
  }
}
