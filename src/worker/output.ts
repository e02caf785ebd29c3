// What a handler returns: a value, a promise, or an Effect.
import * as Effect from "effect/Effect";

/** Returns a value or a promise as it is; runs an Effect, interrupted by the signal. */
export const outputOf = (returned: unknown, source: { readonly signal: AbortSignal }): unknown =>
  Effect.isEffect(returned)
    ? Effect.runPromise(returned as Effect.Effect<unknown, unknown>, { signal: source.signal })
    : returned;
