// Subscriptions whose callbacks may throw.
import type { NatsConnection } from "@nats-io/transport-node";

/**
 * Makes `nc.subscribe` safe for callbacks that throw.
 *
 * The client calls them from the loop that reads the socket, and an error ends that loop: the connection stays open, answers nothing, and is
 * given up only when its pings fail. So errors are caught here and reported to `onFault`.
 */
export function guardSubscriptions(nc: NatsConnection, onFault: (subject: string, error: unknown) => void): void {
  const subscribe = nc.subscribe.bind(nc);
  nc.subscribe = (subject, options) => {
    const callback = options?.callback;
    if (callback === undefined) return subscribe(subject, options);
    return subscribe(subject, {
      ...options,
      callback: (denied, message) => {
        try {
          callback(denied, message);
        } catch (error) {
          onFault(subject, error);
        }
      },
    });
  };
}
