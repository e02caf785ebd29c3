type IsAny<T> = 0 extends 1 & T ? true : false;

/** What a value is after it has travelled as JSON: a Date is a string, functions are gone, `toJSON` is followed. */
export type Wire<T> =
  IsAny<T> extends true
    ? any
    : unknown extends T
      ? unknown
      : // biome-ignore lint/suspicious/noConfusingVoidType: what a method without a return gives
        T extends string | number | boolean | null | undefined | void
        ? T
        : T extends { toJSON(): infer J }
          ? Wire<J>
          : T extends bigint | symbol | ((...args: any[]) => unknown)
            ? never
            : T extends ReadonlyMap<any, any> | ReadonlySet<any>
              ? Record<string, never>
              : T extends readonly unknown[]
                ? { [K in keyof T]: Wire<T[K]> }
                : T extends object
                  ? { [K in keyof T as T[K] extends symbol | ((...args: any[]) => unknown) ? never : K]: Wire<T[K]> }
                  : never;
