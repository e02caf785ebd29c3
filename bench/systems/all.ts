// All systems, natchet first.
import type { System } from "../system.ts";
import { bullmq } from "./bullmq.ts";
import { bunqueue } from "./bunqueue.ts";
import { graphile, graphileBatched, graphileFast } from "./graphile.ts";
import { natchet, natchetApart, natchetAsIs, natchetSynced } from "./natchet.ts";

export const systems: readonly System[] = [
  natchet,
  natchetApart,
  natchetAsIs,
  natchetSynced,
  bullmq,
  graphile,
  graphileBatched,
  graphileFast,
  bunqueue,
];
