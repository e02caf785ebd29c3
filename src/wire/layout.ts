// The fixed part of a binary record: each number's place and width are written once, for whoever writes it and whoever reads it.
import { timeAt, writeTime } from "./ranges.ts";

/** A number of the record that begins at `from`. */
export interface Field {
  readonly get: (view: DataView, from: number) => number;
  readonly set: (view: DataView, from: number, value: number) => void;
}
/** How wide a number is, and how it is read. */
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
/** A time, a span or a place in the log: never NaN, never beyond the calendar. `named`: how an error calls it. */
export const time = (named: string): Kind => ({
  bytes: 8,
  at: (place, what) => ({
    get: (view, from) => timeAt(view, from + place, what, named),
    set: (view, from, value) => writeTime(view, from + place, value),
  }),
});

/**
 * Fields that follow one another, those of one kind in a row. `what`: the record, as errors call it; `size`: bytes of all fields.
 *
 * As fast as offsets and widths that are written out at each place (ADR 57).
 */
export function layout<const R extends readonly Row[]>(
  what: string,
  ...rows: R
): { readonly place: { readonly [K in NamesOf<R[number]>]: Field }; readonly size: number } {
  let size = 0;
  const place: Record<string, Field> = {};
  for (const [kind, ...names] of rows)
    for (const name of names) {
      place[name] = kind.at(size, what);
      size += kind.bytes;
    }
  return { place: place as { [K in NamesOf<R[number]>]: Field }, size };
}
