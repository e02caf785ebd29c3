import type { Msg, NatsLink } from "./link.ts";

/** Calls back with every message of a subject; returns a function that ends it. */
export function listen({ nc }: Pick<NatsLink, "nc">, subject: string, hear: (message: Msg) => void): () => void {
  const subscription = nc.subscribe(subject, {
    callback: (error, message) => {
      if (error === null) hear(message); // a refusal is heard by whoever asks the link for denials
    },
  });
  return () => subscription.unsubscribe();
}
