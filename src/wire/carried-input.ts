/**
 * Bytes up to which an input travels with whatever happens to its run: in the bundle that creates it, and in the outcome that ends it.
 *
 * Beyond that each copy costs more than the message around it: a larger input stands in its run's entry only. One number for both, so
 * that no entry with many runs has to stay for the input of one of them.
 */
export const largestCarriedInput = 4 * 1_024;

/** Whether the input stays in its run's entry. */
export const isLarge = (input: Uint8Array): boolean => input.length > largestCarriedInput;
