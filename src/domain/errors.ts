// Every condition that somebody acts on, by who meets it. Wrong use at declaration throws TypeError or RangeError instead.
export * from "./errors/connection-errors.ts";
export * from "./errors/data-errors.ts";
export * from "./errors/run-refusals.ts";
export * from "./errors/service-errors.ts";
export * from "./errors/start-errors.ts";
export * from "./errors/task-errors.ts";
export * from "./errors/wait-errors.ts";
