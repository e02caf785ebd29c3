// Another package, which depends on the contracts alone. Its client finds the server of `npm run dev` in the root of the workspace.
import { sendEmail } from "@acme/contracts";
import { connect } from "natchet/client";

const natchet = await connect();
const run = await natchet.task(sendEmail).enqueue({ to: "ada@example.com" }, { id: "welcome-ada" });
const { messageId } = await run.result({ timeout: "1m" });
console.log("sent:", messageId);
await natchet.close();
