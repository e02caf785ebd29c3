// "No responders": the server's answer to a request that nobody can hear.
/** Whether a request failed because nobody listens to its subject. The server says so at once. */
export const isNoResponders = (error: unknown): boolean =>
  error instanceof Error &&
  (/no responders/i.test(error.message) || (error as { isNoResponders?: () => boolean }).isNoResponders?.() === true);
