/** What a durable method returns to begin anew: with this input, and an empty journal. */
export class Restart {
  readonly input: unknown;

  constructor(input: unknown) {
    this.input = input;
  }
}
