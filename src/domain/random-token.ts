// Random tokens: names that nobody else has.
const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";

/** Random letters and digits, five bits each: a name that nobody else has. */
export const randomToken = (length: number): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => alphabet[byte % 36]).join("");
