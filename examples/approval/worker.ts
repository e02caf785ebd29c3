// `bun run examples/approval/worker.ts`, then in a second terminal:
//   natchet run approve-expense '{"who":"ada","cents":4200,"approvers":["grace"]}' --id trip-1 --no-wait
//   natchet runs send approve-expense trip-1 decision '{"by":"grace","approved":true}'
import { start } from "../../src/mod.ts";
import { Expenses } from "./expenses.ts";

await start(Expenses);
