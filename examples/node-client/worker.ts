// Runs on Bun or Deno: `npm run worker` starts it, with NATS and hot reload.
import { Task, type TaskContext, Worker } from "natchet";

@Worker({ name: "images", slots: 4 })
export class ImageWorker {
  @Task({ retries: 3, timeout: "30s" })
  async resize(image: { name: string; width: number }, ctx: TaskContext) {
    ctx.log.info(`resizing ${image.name} to ${image.width} px`);
    return { file: `${image.name}-${image.width}.png` };
  }
}
