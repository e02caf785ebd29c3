/** Waits for something, but not longer than `ms`. */
export function atMost(ms: number, something: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void something.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
