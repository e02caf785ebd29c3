// The pause between two entries, in which what is said is collected. It ends early for whoever is in a hurry.
const tickMs = 10;

export class Tick {
  #end: (() => void) | undefined;

  wait(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.hurry(), tickMs);
      this.#end = () => {
        clearTimeout(timer);
        this.#end = undefined;
        resolve();
      };
    });
  }

  hurry(): void {
    this.#end?.();
  }
}
