// Listening to a subject, for those who do not care about refusals.
import type { Msg, NatsLink } from "./link.ts";

/** Calls back with every message on a subject. Returns a function that ends it. */
export function listen({ nc }: Pick<NatsLink, "nc">, subject: string, hear: (message: Msg) => void): () => void {
  const subscription = nc.subscribe(subject, {
    callback: (error, message) => {
      if (error === null) hear(message); // refusals reach those who asked the link for denials
    },
  });
  return () => subscription.unsubscribe();
}
