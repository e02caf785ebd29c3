/** Whether a request failed because nobody listens to its subject: the server answers that at once. */
export const isNoResponders = (error: unknown): boolean =>
  error instanceof Error &&
  (/no responders/i.test(error.message) || (error as { isNoResponders?: () => boolean }).isNoResponders?.() === true);
