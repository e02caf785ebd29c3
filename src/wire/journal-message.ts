// A journal message: one append to the journal of a durable run. It says which attempt of which turn appends, and what the run receives.
import { MalformedRecord } from "../domain/errors.ts";
import { type Draft, draft, mostBytes, noBytes, type Reading, reading } from "./bytes.ts";
import { shallowJsonOf } from "./json-depth.ts";
import { f64, layout, time, u8, u16, u32 } from "./layout.ts";
import { assertRange, isCount, isText, isTurn } from "./ranges.ts";
import { mapOf, shapeOf } from "./shape.ts";

/** Kinds of ops. The index is the code on the wire, so new ones go to the end. */
const opKinds = ["step", "sleep", "signal", "children"] as const;
export type OpKind = (typeof opKinds)[number];

/**
 * `value` and `error` settle an op. `retry`: a step has failed, and is due again later. `part`: some results of a group that takes several
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
  /** The number of the op in its lap. */
  readonly ordinal: number;
  readonly time: number;
  /** Where the delivery stands in the log; 0 if it did not come from there. */
  readonly sequence: number;
  /** A hash of the op's arguments. */
  readonly hash: number;
  /** What the op is about: the method of a step, the name of a signal, the task of children. */
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
  /** When the message was made. Units: epoch milliseconds */
  readonly time: number;
  /** The run's code begins at `time`, not when the run was created. */
  readonly starts?: boolean;
  /** The first message of a turn, which claims the turn for this attempt. */
  readonly begins: boolean;
  /** The attempt has given its run back, so it was not lost. */
  readonly returns?: boolean;
  /** Set if this begins a lap: it replaces all messages before it. */
  readonly lap?: LapStart | undefined;
  readonly deliveries: readonly Delivery[];
  /** The whole message once more, encrypted. Then the fields here leave out the values that only those with the key may read. */
  readonly sealed?: Uint8Array | undefined;
}

const what = "journal message";
const head = layout(
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

/** The most bytes that a delivery can take in its message. */
export const mostBytesOfDelivery = ({ name, value }: Delivery): number =>
  each.size + mostBytes(name) + mostBytes(value);

export function encodeJournalMessage(message: JournalMessage): Uint8Array {
  const { turn, attempt, number, time, lap, deliveries, sealed = noBytes } = message;
  const lapText = lap === undefined ? "" : JSON.stringify(lap);
  let most = head.size + mostBytes(lapText) + sealed.length;
  for (const delivery of deliveries) most += mostBytesOfDelivery(delivery);
  const record = draft(most);
  const at = record.fixed(head.size);
  const lapLength = record.text(lapText);
  const [flags, count] = [flagsOf(message), deliveries.length];
  head.write(record.view, at, { version: 1, flags, reserved: 0, turn, attempt, number, time, count, lapLength });
  for (const delivery of deliveries) writeDelivery(record, delivery);
  record.part(sealed);
  return record.finish();
}

const flagsOf = ({ begins, returns, starts, sealed }: JournalMessage): number =>
  (begins ? beginsFlag : 0) |
  (returns ? returnsFlag : 0) |
  (starts ? startsFlag : 0) |
  (sealed !== undefined && sealed.length > 0 ? sealedFlag : 0);

function writeDelivery(record: Draft, delivery: Delivery): void {
  const { view } = record;
  const { place } = each;
  const at = record.fixed(each.size);
  place.kind.set(view, at, opKinds.indexOf(delivery.kind));
  place.form.set(view, at, forms.indexOf(delivery.form));
  place.nameLength.set(view, at, record.text(delivery.name));
  place.valueLength.set(view, at, record.text(delivery.value));
  place.ordinal.set(view, at, delivery.ordinal);
  place.hash.set(view, at, delivery.hash);
  place.time.set(view, at, delivery.time);
  place.sequence.set(view, at, delivery.sequence);
}

/** Fails: MalformedRecord */
export function decodeJournalMessage(bytes: Uint8Array): JournalMessage {
  const record = reading(bytes, what, head.size);
  const { turn, attempt, number, time, flags, count, lapLength } = head.read(record.view, record.fixed(head.size));
  const lap = record.part(lapLength);
  const deliveries: Delivery[] = [];
  for (let i = 0; i < count; i++) deliveries.push(readDelivery(record));
  return {
    ...{ turn, attempt, number, time },
    begins: (flags & beginsFlag) !== 0,
    ...((flags & returnsFlag) !== 0 && { returns: true }),
    ...((flags & startsFlag) !== 0 && { starts: true }),
    ...(lapLength > 0 && { lap: lapOf(lap) }),
    deliveries,
    ...((flags & sealedFlag) !== 0 && { sealed: record.rest() }),
  };
}

function readDelivery(record: Reading): Delivery {
  const numbers = each.read(record.view, record.fixed(each.size));
  const { ordinal, time, sequence, hash, nameLength, valueLength } = numbers;
  const [name, value] = [record.text(nameLength), record.text(valueLength)];
  const kind = opKinds[numbers.kind];
  const form = forms[numbers.form];
  if (kind === undefined || form === undefined)
    throw new MalformedRecord({ what, reason: `unknown delivery ${numbers.kind}/${numbers.form}` });
  assertRange(isCount(sequence), what, "a sequence", sequence);
  return { kind, form, ordinal, time, sequence, hash, name, value };
}

function lapOf(bytes: Uint8Array): LapStart {
  const told = shallowJsonOf(bytes);
  if (isLapStart(told)) return told;
  throw new MalformedRecord({ what, reason: "its lap does not say its number, its input and its cursors" });
}

const isLapStart = shapeOf<LapStart>({ lap: isTurn, input: isText, cursors: mapOf(isCount) });
