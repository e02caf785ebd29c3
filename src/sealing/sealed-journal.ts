// Sealed journals: messages of journals where encryption is on. Names, kinds and times can be read by everybody, and beside them stands the whole
// message as one ciphertext. Whoever has the key goes by that alone, so nothing of it can be changed or exchanged.
import type { JournalName } from "../domain/durable.ts";
import { DecryptionFailed } from "../domain/errors.ts";
import { decodeJournalMessage, encodeJournalMessage, type JournalMessage } from "../wire/journal-message.ts";
import { keyIdIn, sealingOf, type Vault } from "./vault.ts";

/** How much larger a message may become: by a head, and by what a ciphertext has besides the value. Units: bytes */
export const sealedHeadroom = 256;

/** Seals a message. `most`: how many bytes it may have; what everybody can read is left out if there is no room for it. */
export function sealMessage(vault: Vault, { key, origin }: JournalName, message: Uint8Array, most: number): Uint8Array {
  const plain = decodeJournalMessage(message);
  const sealed = vault.sealBytes(message, sealingOf(key, "journal", origin));
  const shown = encodeJournalMessage({ ...outlineOf(plain), sealed });
  if (shown.length <= most) return shown;
  const lap = plain.lap && { lap: plain.lap.lap, input: "", cursors: {} };
  return encodeJournalMessage({ ...plain, lap, deliveries: [], sealed });
}

/** What everybody can read of a message. Without hashes: one gives its value away to whoever can guess that. */
const outlineOf = (message: JournalMessage): JournalMessage => ({
  ...message,
  lap: message.lap && { ...message.lap, input: "" },
  deliveries: message.deliveries.map((delivery) => ({ ...delivery, hash: 0, value: "" })),
});

/**
 * Opens a message; a promise if its key has to be asked for. One that was never sealed is given as it is, unless encryption is required and code
 * would go by it. Fails: DecryptionFailed
 */
export function openMessage(
  vault: Vault,
  { key, origin }: JournalName,
  stored: Uint8Array,
): Uint8Array | Promise<Uint8Array> {
  const message = decodeJournalMessage(stored);
  const { sealed } = message;
  if (sealed === undefined && vault.isRequired && saysAnything(message)) throw plainMessage(key);
  return sealed === undefined ? stored : vault.unsealBytes(sealed, sealingOf(key, "journal", origin), key);
}

/** Whether a message says more than whose turn it is. Engines close journals with messages that do not, and they have no keys. */
const saysAnything = ({ starts, lap, deliveries }: JournalMessage): boolean =>
  starts === true || lap !== undefined || deliveries.length > 0;

const plainMessage = (run: string) =>
  new DecryptionFailed({
    ...{ run, keyId: "none" },
    reason: "a message of its journal is not encrypted, and this worker takes no other (encryption.required)",
  });

/** The id of the key that opens a message; undefined for a plain one. */
export const keyIdOfMessage = ({ sealed }: JournalMessage, run: string): string | undefined =>
  sealed && keyIdIn(sealed, run);

/** Checks that a process without keys can read a message. Fails: DecryptionFailed */
export function assertPlainMessage(message: JournalMessage, run: string): void {
  const keyId = keyIdOfMessage(message, run);
  if (keyId === undefined) return;
  const reason = 'its journal is encrypted and this process has no keys; give it the option "encryption"';
  throw new DecryptionFailed({ run, keyId, reason });
}
