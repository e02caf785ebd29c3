// The worker that the images hold.
import { start, Task, Worker } from "natchet";

@Worker({ name: "email", slots: 20 })
export class EmailWorker {
  @Task("send-email", { retries: 5, timeout: "30s" })
  async send({ to }: { to: string }) {
    return { delivered: to };
  }
}

await (await start(EmailWorker)).stopped;
