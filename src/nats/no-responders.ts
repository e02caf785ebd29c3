/** Whether a request failed because nobody listens to its subject, which the server answers at once. */
export const isNoResponders = (error: unknown): boolean =>
  error instanceof Error &&
  (/no responders/i.test(error.message) || (error as { isNoResponders?: () => boolean }).isNoResponders?.() === true);
