// The waits of a run: what its ops wait for outside the worker, as the log is told when the run is parked.
import type { Wait } from "../../domain/durable.ts";
import type { Frame } from "./frame.ts";
import type { Op } from "./op.ts";

/** All waits, in the order of their ops. */
export const waitsOf = (frame: Frame): Wait[] => openWaits(frame).map(waitOf);

/** The ops that wait for something outside the worker, and the steps that are due again later. */
export const openWaits = (frame: Frame): readonly Op[] => {
  const later = frame.ops.thatAre("due later");
  const begun = frame.ops.thatAre("open");
  const open = begun.every((op) => op.isWait) ? begun : begun.filter((op) => op.isWait);
  return later.length === 0 ? open : [...open, ...later].sort((a, b) => a.ordinal - b.ordinal);
};

function waitOf({ kind, ordinal, name, detail, dueAt }: Op): Wait {
  if (kind === "step") return { kind: "timer", ordinal, deadline: dueAt };
  if (kind === "sleep") return { kind: "timer", ordinal, deadline: detail.deadline! };
  if (kind === "signal") return { kind: "signal", ordinal, name };
  const size = detail.inputs!.length;
  return { kind: "children", ordinal, task: name, size, ...(detail.failFast && { failFast: true }) };
}

/** When an op goes on that waits for nothing but its time; undefined for other ops. */
export const timeOf = ({ kind, detail, dueAt }: Op): number | undefined =>
  kind === "sleep" ? detail.deadline : kind === "step" ? dueAt : undefined;
