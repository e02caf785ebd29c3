// `npm run dev` in the root runs this worker; `bun run worker.ts` does so without hot reload.
import { sendEmail } from "@acme/contracts";
import { type Payload, start, Task, type TaskContext, Worker } from "natchet";

@Worker({ name: "email", slots: 10 })
export class EmailWorker {
  @Task(sendEmail, { retries: 3 })
  async send(email: Payload<typeof sendEmail.input>, ctx: TaskContext) {
    ctx.log.info(`to ${email.to}: ${email.subject}`);
    return { messageId: `<${ctx.runId}@example.com>` };
  }
}

if (import.meta.main) await (await start(EmailWorker)).stopped;
