// A layout: the fixed part of a binary record. The place and the width of each number are said once, for those who write it and those who read it.
import { timeAt, writeTime } from "./ranges.ts";

/** A number of the record that begins at `from`. */
export interface Field {
  readonly get: (view: DataView, from: number) => number;
  readonly set: (view: DataView, from: number, value: number) => void;
}
/** How wide a number is, and how it is read and written. */
interface Kind {
  readonly bytes: number;
  readonly at: (place: number, what: string) => Field;
}
type Row = readonly [Kind, ...string[]];
type NamesOf<R extends Row> = R extends readonly [Kind, ...infer N extends readonly string[]] ? N[number] : never;

export const u8: Kind = {
  bytes: 1,
  at: (place) => ({
    get: (view, from) => view.getUint8(from + place),
    set: (view, from, value) => view.setUint8(from + place, value),
  }),
};
export const u16: Kind = {
  bytes: 2,
  at: (place) => ({
    get: (view, from) => view.getUint16(from + place, true),
    set: (view, from, value) => view.setUint16(from + place, value, true),
  }),
};
export const u32: Kind = {
  bytes: 4,
  at: (place) => ({
    get: (view, from) => view.getUint32(from + place, true),
    set: (view, from, value) => view.setUint32(from + place, value, true),
  }),
};
/** Written and read as it is. */
export const f64: Kind = {
  bytes: 8,
  at: (place) => ({
    get: (view, from) => view.getFloat64(from + place, true),
    set: (view, from, value) => view.setFloat64(from + place, value, true),
  }),
};
/** A time, a span or a place in the log: never NaN, never beyond the calendar. `named`: what an error calls it. */
export const time = (named: string): Kind => ({
  bytes: 8,
  at: (place, what) => ({
    get: (view, from) => timeAt(view, from + place, what, named),
    set: (view, from, value) => writeTime(view, from + place, value),
  }),
});

type NamesIn<R extends readonly Row[]> = NamesOf<R[number]>;

/** The fixed part of a record. */
export interface Layout<N extends string> {
  readonly place: { readonly [K in N]: Field };
  /** Bytes of all fields. */
  readonly size: number;
  /** Reads all fields at once. Each costs some 20 ns more than by its place, so this is not for what every run needs (ADR 63). */
  read(view: DataView, from: number): { readonly [K in N]: number };
  write(view: DataView, from: number, values: { readonly [K in N]: number }): void;
}

/**
 * Lays out fields one after the other; each row lists some of one kind. `what`: what errors call the record.
 *
 * As fast as offsets and widths that are written out wherever they are used (ADR 57).
 */
export function layout<const R extends readonly Row[]>(what: string, ...rows: R): Layout<NamesIn<R>> {
  let size = 0;
  const place: Record<string, Field> = {};
  for (const [kind, ...names] of rows)
    for (const name of names) {
      place[name] = kind.at(size, what);
      size += kind.bytes;
    }
  const names = Object.keys(place) as NamesIn<R>[];
  const fields = Object.values(place);
  const zeros = Object.fromEntries(names.map((name) => [name, 0])) as Record<NamesIn<R>, number>;
  return {
    place: place as Layout<NamesIn<R>>["place"],
    size,
    read(view, from) {
      const values = { ...zeros };
      for (let i = 0; i < names.length; i++) values[names[i]!] = fields[i]!.get(view, from);
      return values;
    },
    write(view, from, values) {
      for (let i = 0; i < names.length; i++) fields[i]!.set(view, from, values[names[i]!]);
    },
  };
}
