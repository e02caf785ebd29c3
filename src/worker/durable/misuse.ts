// Calls that are wrong where they are made: a step that makes one would only make it again, so it is not tried again.

const misuses = new WeakSet<TypeError>();

export function misuse(message: string): TypeError {
  const error = new TypeError(message);
  misuses.add(error);
  return error;
}

export const isMisuse = (error: unknown): boolean => error instanceof TypeError && misuses.has(error);
