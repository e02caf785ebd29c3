// One program with two workers and a client: shows who executed what. `bun run examples/two-workers/main.ts`
import { start } from "../../src/mod.ts";
import { PixelWorker, TransferWorker } from "./workers.ts";

const images = Array.from({ length: 20 }, (_, n) => ({ image: `image-${n + 1}.png` }));
const running = [
  await start(PixelWorker, { log: "silent" }),
  await start(TransferWorker, { log: "silent", engine: "off" }),
];
const natchet = running[0]!.client();

const countBy = (results: readonly { by: string }[]) => {
  const counts = new Map<string, number>();
  for (const { by } of results) counts.set(by, (counts.get(by) ?? 0) + 1);
  return [...counts]
    .sort()
    .map(([worker, count]) => `${count} by ${worker}`)
    .join(", ");
};

const pixels = natchet.tasks(PixelWorker);
const transfer = natchet.tasks(TransferWorker);
console.log("resize:   ", countBy(await pixels.resize.runMany(images)));
console.log("watermark:", countBy(await pixels.watermark.runMany(images)));
console.log("upload:   ", countBy(await transfer.upload.runMany(images)));

for (const each of running.reverse()) await each.stop();
