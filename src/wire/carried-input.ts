/**
 * Largest input that is copied along with its run: into the bundle that creates it, and into the outcome that ends it. Units: bytes
 *
 * Beyond that, a copy costs more than the message around it, so a larger input is only in its run's entry. One number for both, so
 * that no bundle has to stay for the input of one of its runs.
 */
export const largestCarriedInput = 4 * 1_024;

/** Whether the input stays in its run's entry. */
export const isLarge = (input: Uint8Array): boolean => input.length > largestCarriedInput;
