// Calls the task of worker.ts, from a process of its own. The class is imported as a type only: no worker code is loaded here.
import { connect } from "../../src/mod.ts";
import type { HelloWorker } from "./worker.ts";

const names = process.argv.slice(2);
const natchet = await connect();
const hello = natchet.tasks<HelloWorker>().hello;
for (const name of names.length > 0 ? names : ["world"]) {
  const { greeting } = await hello.run({ name });
  console.log(greeting);
}
await natchet.close();
