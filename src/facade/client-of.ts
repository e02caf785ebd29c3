import { describeClass } from "../../decorators/scan.ts";
import { Natchet } from "../client/client.ts";
import type { EnqueueMiddleware } from "../client/middleware.ts";
import { currentParent } from "../worker/context.ts";
import type { Session } from "./session.ts";

/** A client on a session that somebody else may own. */
export const clientOf = (
  session: Session,
  release: () => Promise<void>,
  middleware?: readonly EnqueueMiddleware[],
): Natchet =>
  new Natchet({ ...session, describe: (cls) => describeClass(cls).tasks, release, middleware, parent: currentParent });
