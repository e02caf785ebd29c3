// The bridge from Effect's scopes to promises: what was opened stays open until it is closed.
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Scope from "effect/Scope";

export interface OpenScope<T> {
  readonly value: T;
  /** Closes everything in reverse order; a second call waits for the first. */
  close(): Promise<void>;
}

/** Builds something scoped; if that fails or is aborted, what was opened is closed and the error itself is thrown. */
export async function openScope<T>(
  build: Effect.Effect<T, unknown, Scope.Scope>,
  signal?: AbortSignal,
): Promise<OpenScope<T>> {
  const scope = await Effect.runPromise(Scope.make());
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= Effect.runPromise(Scope.close(scope, Exit.void));
    return closing;
  };
  try {
    const value = await Effect.runPromise(Scope.provide(build, scope) as Effect.Effect<T>, {
      ...(signal && { signal }),
    });
    return { value, close };
  } catch (error) {
    await close();
    throw error;
  }
}
