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
import { assertRange, isCount, isRecord, timeAt, writeTime } from "./ranges.ts";

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
const head = 36;
const deliveryHead = 32;
const beginsFlag = 1;
const returnsFlag = 2;
const startsFlag = 4;
const sealedFlag = 8;

/** Most bytes that a delivery takes in its message. */
export const mostBytesOfDelivery = ({ name, value }: Delivery): number =>
  deliveryHead + mostBytes(name) + mostBytes(value);

export function encodeJournalMessage(message: JournalMessage): Uint8Array {
  const { turn, attempt, number, time, lap, deliveries, sealed = noBytes } = message;
  const lapText = lap === undefined ? "" : JSON.stringify(lap);
  let most = head + mostBytes(lapText) + sealed.length;
  for (const delivery of deliveries) most += mostBytesOfDelivery(delivery);
  const record = draft(most);
  const { bytes, view } = record;
  bytes[0] = 1;
  bytes[1] =
    (message.begins ? beginsFlag : 0) |
    (message.returns ? returnsFlag : 0) |
    (message.starts ? startsFlag : 0) |
    (sealed.length > 0 ? sealedFlag : 0);
  view.setUint16(2, 0, true);
  view.setUint32(4, turn, true);
  view.setFloat64(8, attempt, true);
  view.setUint32(16, number, true);
  writeTime(view, 20, time);
  view.setUint32(28, deliveries.length, true);
  let end = writeText(bytes, head, lapText);
  view.setUint32(32, end - head, true);
  for (const delivery of deliveries) end = writeDelivery(record, end, delivery);
  return finish(record, writeBytes(bytes, end, sealed));
}

function writeDelivery({ bytes, view }: ReturnType<typeof draft>, at: number, delivery: Delivery): number {
  const nameEnd = writeText(bytes, at + deliveryHead, delivery.name);
  const end = writeText(bytes, nameEnd, delivery.value);
  bytes[at] = opKinds.indexOf(delivery.kind);
  bytes[at + 1] = forms.indexOf(delivery.form);
  view.setUint16(at + 2, nameEnd - at - deliveryHead, true);
  view.setUint32(at + 4, end - nameEnd, true);
  view.setUint32(at + 8, delivery.ordinal, true);
  view.setUint32(at + 12, delivery.hash, true);
  writeTime(view, at + 16, delivery.time);
  view.setFloat64(at + 24, delivery.sequence, true);
  return end;
}

/** Fails: MalformedRecord */
export function decodeJournalMessage(bytes: Uint8Array): JournalMessage {
  assertRecord(bytes, what, head);
  const view = viewOf(bytes);
  const lapEnd = head + view.getUint32(32, true);
  assertFits(lapEnd <= bytes.length, what);
  const count = view.getUint32(28, true);
  const deliveries: Delivery[] = [];
  let at = lapEnd;
  for (let i = 0; i < count; i++) {
    assertFits(at + deliveryHead <= bytes.length, what);
    const nameEnd = at + deliveryHead + view.getUint16(at + 2, true);
    const end = nameEnd + view.getUint32(at + 4, true);
    assertFits(end <= bytes.length, what);
    deliveries.push(deliveryAt(bytes, view, at, nameEnd, end));
    at = end;
  }
  const flags = bytes[1]!;
  return {
    turn: view.getUint32(4, true),
    attempt: view.getFloat64(8, true),
    number: view.getUint32(16, true),
    time: timeAt(view, 20, what, "its time"),
    begins: (flags & beginsFlag) !== 0,
    ...((flags & returnsFlag) !== 0 && { returns: true }),
    ...((flags & startsFlag) !== 0 && { starts: true }),
    ...(lapEnd > head && { lap: lapOf(bytes.subarray(head, lapEnd)) }),
    deliveries,
    ...((flags & sealedFlag) !== 0 && { sealed: bytes.subarray(at) }),
  };
}

function deliveryAt(bytes: Uint8Array, view: DataView, at: number, nameEnd: number, end: number): Delivery {
  const kind = opKinds[bytes[at]!];
  const form = forms[bytes[at + 1]!];
  if (kind === undefined || form === undefined)
    throw new MalformedRecord({ what, reason: `unknown delivery ${bytes[at]}/${bytes[at + 1]}` });
  const sequence = view.getFloat64(at + 24, true);
  assertRange(isCount(sequence), what, "a sequence", sequence);
  return {
    kind,
    form,
    ordinal: view.getUint32(at + 8, true),
    time: timeAt(view, at + 16, what, "the time of a delivery"),
    sequence,
    hash: view.getUint32(at + 12, true),
    name: textIn(bytes, at + deliveryHead, nameEnd),
    value: textIn(bytes, nameEnd, end),
  };
}

function lapOf(bytes: Uint8Array): LapStart {
  const told: unknown = isShallow(bytes) ? jsonOf(bytes) : undefined;
  assertRange(isRecord(told), what, "its lap", told);
  const { lap, input, cursors } = told as Record<string, unknown>;
  assertRange(isCount(lap) && lap >= 1, what, "its lap", lap);
  assertRange(typeof input === "string", what, "the input of its lap", input);
  assertRange(isRecord(cursors) && Object.values(cursors).every(isCount), what, "its cursors", cursors);
  return { lap, input, cursors } as LapStart;
}
