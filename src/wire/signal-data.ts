// The payload of a signal: JSON, empty for undefined. Whoever may enqueue may also store signals, so what is read is not trusted.
import { jsonOf } from "./bytes.ts";
import { isShallow } from "./json-depth.ts";

/** Undefined also for what is not JSON, or too deep to be serialized again. */
export function signalData(bytes: Uint8Array): unknown {
  try {
    return isShallow(bytes) ? jsonOf(bytes) : undefined;
  } catch {
    return undefined;
  }
}
