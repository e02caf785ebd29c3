// Two worker classes that share one task: "resize" is done by both, "watermark" by the first alone, "upload" by the second alone.
import { Task, Worker } from "../../src/mod.ts";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

@Worker({ name: "pixels", slots: 2 })
export class PixelWorker {
  @Task("resize")
  async resize(input: { image: string }) {
    await sleep(20);
    return { image: input.image, by: "pixels" };
  }

  @Task("watermark")
  async watermark(input: { image: string }) {
    return { image: input.image, by: "pixels" };
  }
}

@Worker({ name: "transfer", slots: 2 })
export class TransferWorker {
  @Task("resize")
  async resize(input: { image: string }) {
    await sleep(20);
    return { image: input.image, by: "transfer" };
  }

  @Task("upload")
  async upload(input: { image: string }) {
    return { image: input.image, by: "transfer" };
  }
}
