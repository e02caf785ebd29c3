// All systems, natchet first.
import type { System } from "../system.ts";
import { bullmq } from "./bullmq.ts";
import { bunqueue } from "./bunqueue.ts";
import { graphile, graphileBatched } from "./graphile.ts";
import { natchet, natchetAsIs, natchetSynced } from "./natchet.ts";

export const systems: readonly System[] = [
  natchet,
  natchetAsIs,
  natchetSynced,
  bullmq,
  graphile,
  graphileBatched,
  bunqueue,
];
