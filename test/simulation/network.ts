import type { Random } from "./random.ts";

type Message = () => void;

/** Messages on their way. In a calm world they keep their order and none is lost; in a rough one any may overtake any, come twice, or never. */
export class Network {
  readonly #random: Random;
  readonly #isRough: boolean;
  #messages: Message[] = [];

  constructor(random: Random, isRough: boolean) {
    this.#random = random;
    this.#isRough = isRough;
  }
  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }
  send(message: Message): void {
    this.#messages.push(message);
  }
  /** One message arrives, or does not. */
  deliver(): void {
    if (this.isEmpty) return;
    const random = this.#random;
    const index = this.#isRough && random.chance(0.3) ? random.int(this.#messages.length) : 0;
    const [message] = this.#messages.splice(index, 1);
    const x = this.#isRough ? random.next() : 1;
    if (x < 0.03) return;
    message!();
    if (x < 0.06) message!();
  }
  /** All arrive in their order, and what they cause as well. */
  drain(after: () => void = () => {}): void {
    for (let message = this.#messages.shift(); message !== undefined; message = this.#messages.shift()) {
      message();
      after();
    }
  }
}
