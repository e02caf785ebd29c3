// One append to the journal of a durable run: which attempt of which turn appends, and what its run receives.
import { MalformedRecord } from "../domain/errors.ts";
import {
  assertFits,
  assertRecord,
  draft,
  finish,
  jsonOf,
  mostBytes,
  noBytes,
  textIn,
  viewOf,
  writeBytes,
  writeText,
} from "./bytes.ts";
import { isShallow } from "./json-depth.ts";
import { f64, layout, time, u8, u16, u32 } from "./layout.ts";
import { assertRange, isCount, isRecord } from "./ranges.ts";
import { mapOf } from "./shape.ts";

/** Kinds of ops; the index is the code on the wire, so only append new ones. */
const opKinds = ["step", "sleep", "signal", "children"] as const;
export type OpKind = (typeof opKinds)[number];

/**
 * `value` and `error` settle an op. `retry`: a step failed, and is due again later. `part`: the first values of a group that takes several
 * messages. `cancel`: a wish to cancel, which rejects an open wait; with the ordinal {@link noOp} it is only recorded as taken.
 */
const forms = ["value", "error", "retry", "part", "cancel"] as const;
export type DeliveryForm = (typeof forms)[number];

/** The ordinal of a delivery that belongs to no op. */
export const noOp = 0xffff_ffff;

/** Units: `time` epoch milliseconds; `value` JSON, empty for undefined */
export interface Delivery {
  readonly kind: OpKind;
  readonly form: DeliveryForm;
  /** Which op of the lap. */
  readonly ordinal: number;
  readonly time: number;
  /** Sequence in the log; 0 for what did not come from there. */
  readonly sequence: number;
  /** Of the op's arguments. */
  readonly hash: number;
  /** Of the op: a step's method, a signal's name, the task of children. */
  readonly name: string;
  readonly value: string;
}

/** How a lap begins. */
export interface LapStart {
  readonly lap: number;
  /** JSON; empty for undefined. */
  readonly input: string;
  /** As {@link Parked.cursors}. */
  readonly cursors: Readonly<Record<string, number>>;
}

export interface JournalMessage {
  readonly turn: number;
  /** Random for each assignment to a worker. */
  readonly attempt: number;
  /** Counts the messages of an attempt, from 1. */
  readonly number: number;
  /** When it was made. Units: epoch milliseconds */
  readonly time: number;
  /** The code begins at that time, not when the run was created. */
  readonly starts?: boolean;
  /** The first of its turn, which claims the turn for this attempt. */
  readonly begins: boolean;
  /** The attempt gave its run back; it was not lost. */
  readonly returns?: boolean;
  /** Replaces all messages before it. */
  readonly lap?: LapStart | undefined;
  readonly deliveries: readonly Delivery[];
  /** The whole message once more, encrypted; what is here is without the values that nobody else may read. */
  readonly sealed?: Uint8Array | undefined;
}

const what = "journal message";
const { place, size: head } = layout(
  what,
  [u8, "version", "flags"],
  [u16, "reserved"],
  [u32, "turn"],
  [f64, "attempt"],
  [u32, "number"],
  [time("its time"), "time"],
  [u32, "count", "lapLength"],
);
const each = layout(
  what,
  [u8, "kind", "form"],
  [u16, "nameLength"],
  [u32, "valueLength", "ordinal", "hash"],
  [time("the time of a delivery"), "time"],
  [f64, "sequence"],
);
const beginsFlag = 1;
const returnsFlag = 2;
const startsFlag = 4;
const sealedFlag = 8;

/** Most bytes that a delivery takes in its message. */
export const mostBytesOfDelivery = ({ name, value }: Delivery): number =>
  each.size + mostBytes(name) + mostBytes(value);

export function encodeJournalMessage(message: JournalMessage): Uint8Array {
  const { lap, deliveries, sealed = noBytes } = message;
  const lapText = lap === undefined ? "" : JSON.stringify(lap);
  let most = head + mostBytes(lapText) + sealed.length;
  for (const delivery of deliveries) most += mostBytesOfDelivery(delivery);
  const record = draft(most);
  const { bytes, view } = record;
  place.version.set(view, 0, 1);
  place.flags.set(view, 0, flagsOf(message));
  place.reserved.set(view, 0, 0);
  place.turn.set(view, 0, message.turn);
  place.attempt.set(view, 0, message.attempt);
  place.number.set(view, 0, message.number);
  place.time.set(view, 0, message.time);
  place.count.set(view, 0, deliveries.length);
  let end = writeText(bytes, head, lapText);
  place.lapLength.set(view, 0, end - head);
  for (const delivery of deliveries) end = writeDelivery(record, end, delivery);
  return finish(record, writeBytes(bytes, end, sealed));
}

const flagsOf = ({ begins, returns, starts, sealed }: JournalMessage): number =>
  (begins ? beginsFlag : 0) |
  (returns ? returnsFlag : 0) |
  (starts ? startsFlag : 0) |
  (sealed !== undefined && sealed.length > 0 ? sealedFlag : 0);

function writeDelivery({ bytes, view }: ReturnType<typeof draft>, at: number, delivery: Delivery): number {
  const nameEnd = writeText(bytes, at + each.size, delivery.name);
  const end = writeText(bytes, nameEnd, delivery.value);
  each.place.kind.set(view, at, opKinds.indexOf(delivery.kind));
  each.place.form.set(view, at, forms.indexOf(delivery.form));
  each.place.nameLength.set(view, at, nameEnd - at - each.size);
  each.place.valueLength.set(view, at, end - nameEnd);
  each.place.ordinal.set(view, at, delivery.ordinal);
  each.place.hash.set(view, at, delivery.hash);
  each.place.time.set(view, at, delivery.time);
  each.place.sequence.set(view, at, delivery.sequence);
  return end;
}

/** Fails: MalformedRecord */
export function decodeJournalMessage(bytes: Uint8Array): JournalMessage {
  assertRecord(bytes, what, head);
  const view = viewOf(bytes);
  const lapEnd = head + place.lapLength.get(view, 0);
  assertFits(lapEnd <= bytes.length, what);
  const count = place.count.get(view, 0);
  const deliveries: Delivery[] = [];
  let at = lapEnd;
  for (let i = 0; i < count; i++) {
    assertFits(at + each.size <= bytes.length, what);
    const nameEnd = at + each.size + each.place.nameLength.get(view, at);
    const end = nameEnd + each.place.valueLength.get(view, at);
    assertFits(end <= bytes.length, what);
    deliveries.push(deliveryAt(bytes, view, at, nameEnd, end));
    at = end;
  }
  const flags = place.flags.get(view, 0);
  return {
    turn: place.turn.get(view, 0),
    attempt: place.attempt.get(view, 0),
    number: place.number.get(view, 0),
    time: place.time.get(view, 0),
    begins: (flags & beginsFlag) !== 0,
    ...((flags & returnsFlag) !== 0 && { returns: true }),
    ...((flags & startsFlag) !== 0 && { starts: true }),
    ...(lapEnd > head && { lap: lapOf(bytes.subarray(head, lapEnd)) }),
    deliveries,
    ...((flags & sealedFlag) !== 0 && { sealed: bytes.subarray(at) }),
  };
}

function deliveryAt(bytes: Uint8Array, view: DataView, at: number, nameEnd: number, end: number): Delivery {
  const [kindCode, formCode] = [each.place.kind.get(view, at), each.place.form.get(view, at)];
  const kind = opKinds[kindCode];
  const form = forms[formCode];
  if (kind === undefined || form === undefined)
    throw new MalformedRecord({ what, reason: `unknown delivery ${kindCode}/${formCode}` });
  const sequence = each.place.sequence.get(view, at);
  assertRange(isCount(sequence), what, "a sequence", sequence);
  return {
    kind,
    form,
    ordinal: each.place.ordinal.get(view, at),
    time: each.place.time.get(view, at),
    sequence,
    hash: each.place.hash.get(view, at),
    name: textIn(bytes, at + each.size, nameEnd),
    value: textIn(bytes, nameEnd, end),
  };
}

function lapOf(bytes: Uint8Array): LapStart {
  const told: unknown = isShallow(bytes) ? jsonOf(bytes) : undefined;
  assertRange(isRecord(told), what, "its lap", told);
  const { lap, input, cursors } = told as Record<string, unknown>;
  assertRange(isCount(lap) && lap >= 1, what, "its lap", lap);
  assertRange(typeof input === "string", what, "the input of its lap", input);
  assertRange(mapOf(isCount)(cursors), what, "its cursors", cursors);
  return { lap, input, cursors } as LapStart;
}
