// What JSON makes of a value, as types: what a caller gets back, and what a caller may send.
type IsAny<T> = 0 extends 1 & T ? true : false;

/** What arrives as it was. Asked for as a whole first: a type that contains itself would be followed without end. */
type JsonValue =
  | string
  | number
  | boolean
  | null
  | undefined
  // biome-ignore lint/suspicious/noConfusingVoidType: what a method without a return gives
  | void
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** What a value is after it has travelled as JSON: a Date is a string, functions are gone, `toJSON` is followed. */
export type Wire<T> =
  IsAny<T> extends true
    ? any
    : unknown extends T
      ? unknown
      : T extends JsonValue
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
                  ? {
                      [K in keyof T as K extends symbol
                        ? never
                        : T[K] extends symbol | ((...args: any[]) => unknown)
                          ? never
                          : K]: Wire<T[K]>;
                    }
                  : never;

/** Whether values of a type arrive as what they were: then a handler may say that it gets them. */
export type IsJson<T> =
  IsAny<T> extends true ? true : [T] extends [Wire<T>] ? ([Wire<T>] extends [T] ? true : false) : false;
