// Steps that need a promise only if something has to be waited for: a promise costs more than most of what it carries.

export const isPending = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function";

/** Continues at once unless there is something to wait for. */
export function after<A, B>(value: A, next: (value: Awaited<A>) => B): B | Promise<Awaited<B>> {
  return isPending(value)
    ? (Promise.resolve(value).then(next as never) as Promise<Awaited<B>>)
    : next(value as Awaited<A>);
}
