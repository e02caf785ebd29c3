/** Where engine, worker and client say what happens: a sentence and fields. */
export interface Log {
  /** What only a search for a fault needs. */
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** What happens in the ordinary course. */
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** What may need somebody's attention. */
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** What failed. */
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Says nothing. */
export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
