// Which inputs are carried along with their run, and which stay in its entry.
/**
 * The largest input that is copied: into the bundle that creates its run, and into the outcome that ends it. Units: bytes
 *
 * The copy of a larger one would cost more than the message around it, so that is only in the entry of its run. There is one limit for both, so
 * that no bundle has to stay for the input of one of its runs.
 */
export const largestCarriedInput = 4 * 1_024;

/** Whether an input stays in the entry of its run, and is not copied. */
export const isLarge = (input: Uint8Array): boolean => input.length > largestCarriedInput;
