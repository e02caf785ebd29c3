// What is wrong with data: a schema refuses it, it is too large, or it cannot be read.
import { type Tagged, tagged } from "./tagged.ts";

const InvalidDataBase: Tagged<"InvalidData"> = tagged("InvalidData");
/** Input or output that its schema refuses. */
export class InvalidData extends InvalidDataBase<{
  readonly what: "input" | "output";
  readonly task: string;
  readonly issues: readonly { readonly path: string; readonly message: string }[];
}> {
  override get message(): string {
    const reasons = this.issues.map((issue) => `${issue.path || "(root)"}: ${issue.message}`).join("; ");
    return `invalid ${this.what} of task "${this.task}": ${reasons}`;
  }
}

const PayloadTooLargeBase: Tagged<"PayloadTooLarge"> = tagged("PayloadTooLarge");
/** Larger than the server's `max_payload`. Units: bytes */
export class PayloadTooLarge extends PayloadTooLargeBase<{
  readonly what: string;
  readonly bytes: number;
  readonly limit: number;
}> {
  override get message(): string {
    return `${this.what} is ${this.bytes} bytes, but the server accepts at most ${this.limit} (max_payload); store large data elsewhere and pass a reference`;
  }
}

const DecryptionFailedBase: Tagged<"DecryptionFailed"> = tagged("DecryptionFailed");
/** Something of a run is encrypted, and cannot be decrypted here. A worker retries the run as the task says: another worker may have the key. */
export class DecryptionFailed extends DecryptionFailedBase<{
  /** The run, or the schedule, that it belongs to; undefined for a key that is needed at the start. */
  readonly run: string | undefined;
  /** Of the key that is needed. */
  readonly keyId: string;
  readonly reason: string;
}> {
  override get message(): string {
    const of = this.run === undefined ? "" : ` of ${this.run}`;
    return `what is encrypted${of} with key "${this.keyId}" cannot be read: ${this.reason}`;
  }
}

const MalformedRecordBase: Tagged<"MalformedRecord"> = tagged("MalformedRecord");
/** Bytes that are not what they claim to be; never retried. */
export class MalformedRecord extends MalformedRecordBase<{ readonly what: string; readonly reason: string }> {
  override get message(): string {
    return `malformed ${this.what}: ${this.reason}`;
  }
}
