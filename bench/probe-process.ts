// A worker process of the benchmark with the methods of probes.ts: `<url> [apart] [fatal]`. Each command line runs one of them to its end.
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect as connectNats } from "@nats-io/transport-node";
import { connect, start } from "../src/mod.ts";
import { Probes, plain, times } from "./probes.ts";
import { commands, say } from "./process.ts";
import { quantilesOf } from "./statistics.ts";

const [url = ""] = process.argv.slice(2);
const nc = await connectNats({ servers: url });
const { streams } = await jetstreamManager(nc);
await streams.add({ name: "PLAIN", subjects: ["plain"], storage: "file", max_msgs: 1_000_000 } as never);
const client = jetstream(nc);
plain.publish = (bytes) => client.publish("plain", bytes);
const natchet = await connect({ url, log: "warn" });
const worker = await start(Probes, { url, log: "warn", engine: process.argv.includes("apart") ? "off" : "auto" });
say("registered");

const tasks = natchet.tasks(Probes);
for await (const command of commands()) {
  const [name = "", order = "{}"] = command.split(" ");
  if (name === "end") break;
  for (const each of Object.values(times)) each.length = 0;
  const startedAt = performance.now();
  await (tasks as any)[name].run(JSON.parse(order));
  const ms = performance.now() - startedAt;
  say(name, {
    ms,
    ...Object.fromEntries(Object.entries(times).map(([key, values]) => [key, quantilesOf(values).p50])),
  });
}
await worker.stop();
await natchet.close();
await nc.close();
process.exit();
