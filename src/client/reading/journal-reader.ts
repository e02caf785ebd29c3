// The timeline of a durable run: what it has done, read from its journal.
import type { Timeline, TimelineEntry } from "../../domain/timeline.ts";
import type { JournalStore } from "../../nats/journal.ts";
import { keyIdOfMessage, openMessage } from "../../sealing/sealed-journal.ts";
import type { Vault } from "../../sealing/vault.ts";
import { type Delivery, decodeJournalMessage, noOp } from "../../wire/journal-message.ts";

const outcomes = { value: "value", error: "error", retry: "retry", cancel: "cancelled" } as const;

/** Reads a timeline. Empty for a run that is not durable, has done nothing yet, or is forgotten. Fails: StoreUnavailable, PermissionDenied, MalformedRecord, DecryptionFailed */
export async function readTimeline(
  journals: Pick<JournalStore, "read">,
  run: { readonly key: string; readonly origin: number },
  vault?: Vault | undefined,
): Promise<Timeline> {
  let lap = 1;
  let entries: TimelineEntry[] = [];
  for (const { data } of await journals.read(run)) {
    const stored = decodeJournalMessage(data);
    const isOpened = stored.sealed !== undefined && vault !== undefined;
    const message = isOpened ? decodeJournalMessage(await openMessage(vault, run, data)) : stored;
    const encryptedWith = keyIdOfMessage(message, run.key);
    if (message.lap !== undefined) {
      lap = message.lap.lap;
      entries = [];
    }
    for (const delivery of message.deliveries)
      if (delivery.form !== "part")
        entries.push(entryOf(delivery, delivery.form, { turn: message.turn, ...(encryptedWith && { encryptedWith }) }));
  }
  return { lap, entries };
}

function entryOf(
  delivery: Delivery,
  form: keyof typeof outcomes,
  told: Pick<TimelineEntry, "turn" | "encryptedWith">,
): TimelineEntry {
  const { kind, ordinal, name, time: at, value } = delivery;
  return {
    ...(ordinal !== noOp && { op: ordinal }),
    ...{ kind, name, outcome: outcomes[form], at, ...told },
    ...(value !== "" && { value: JSON.parse(value) }),
  };
}
