// What both sides know: the name of a task, what it takes and what it returns. No code of the worker.
import { contract } from "natchet/client";
import { z } from "zod";

export const sendEmail = contract("send-email", {
  input: z.object({ to: z.email(), subject: z.string().default("hello") }),
  output: z.object({ messageId: z.string() }),
});
