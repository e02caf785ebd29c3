/** Where the probes are served; already checked. */
export interface HealthSettings {
  /** 0 picks a free port. */
  readonly port: number;
  readonly host: string;
  /** `wait` starts without the port and takes it as soon as it is free. */
  readonly whenTaken: "fail" | "wait";
  /** How long a client may take to send a request and read the answer before it is cut off. Units: milliseconds. @default 10_000 */
  readonly longestMs?: number;
}
