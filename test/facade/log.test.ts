// What the log of a process looks like: to a person, in a file, to a machine, and to a logger of the program's own.
import assert from "node:assert/strict";
import type { Log } from "../../src/domain/log.ts";
import { assertLogger, type LogSettings, makeLog } from "../../src/facade/log.ts";
import { resolveSettings } from "../../src/facade/settings.ts";
import { describe, test } from "../support/harness.ts";

function written(settings: Partial<LogSettings>, tell: (log: Log) => void): string[] {
  const lines: string[] = [];
  tell(makeLog({ level: "debug", write: (line) => lines.push(line), ...settings }));
  return lines;
}

describe("makeLog", () => {
  test("dates lines with their zone where no terminal shows them, and gives the time alone on one", () => {
    const [inFile] = written({ terminal: false }, (log) => log.info("hi", { run: "a/1", n: 2, none: undefined }));
    assert.match(inFile!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d info {2}hi run=a\/1 n=2$/);
    const [shown] = written({ terminal: true, colours: false }, (log) => log.warn("hi"));
    assert.match(shown!, /^\d\d:\d\d:\d\d\.\d{3} warn {2}hi$/);
  });

  test("has colours on a terminal alone, unless told otherwise", () => {
    const line = (settings: Partial<LogSettings>) => written(settings, (log) => log.error("hi"))[0]!;
    assert.ok(line({ terminal: true }).includes("\x1b[31m"));
    assert.ok(!line({ terminal: false }).includes("\x1b"));
    assert.ok(line({ terminal: false, colours: true }).includes("\x1b[31m"));
  });

  test("writes an error as its headline, and the lines of the user's code below", () => {
    const error = { name: "TypeError", message: "no name", stack: "TypeError: no name\n    at a (/app/a.ts:1:1)" };
    const [line] = written({ terminal: false }, (log) => log.error("run failed", { error }));
    assert.match(line!, / error run failed error="TypeError: no name"\n {4}at a \(\/app\/a\.ts:1:1\)$/);
    const [own] = written({ terminal: false }, (log) => log.error("failed", { error: new RangeError("2") }));
    assert.match(own!, / error failed error="RangeError: 2"\n {4}at .*log\.test\.ts/);
  });

  test("lets no text of a run forge a line or command a terminal", () => {
    const [line] = written({ terminal: false }, (log) =>
      log.info("a\n2026 info forged\x1b[31m", { id: "\x1b[31mx\ny" }),
    );
    assert.match(line!, / info {2}a\n {4}2026 info forged\\x1b\[31m id="\\u001b\[31mx\\ny"$/);
  });

  test("as JSON is one object a line, whatever the fields are", () => {
    const error = new TypeError("no name", { cause: new Error("why") });
    const circle: Record<string, unknown> = { n: 1n };
    const lines = written({ format: "json" }, (log) => {
      log.info("plain");
      log.error("run failed", { run: "a/1", error, level: "mine", big: 2n });
      circle["self"] = circle;
      log.warn("odd", { circle });
    });
    const [plain, failed, odd] = lines.map((line) => JSON.parse(line));
    assert.deepEqual(Object.keys(plain), ["time", "level", "message"]);
    assert.equal(failed.level, "error");
    assert.equal(failed.field_level, "mine");
    assert.deepEqual(
      [failed.run, failed.big, failed.error.name, failed.error.cause.message],
      ["a/1", "2", "TypeError", "why"],
    );
    assert.match(failed.error.stack, /log\.test\.ts/);
    assert.equal(odd.message, "odd");
  });

  test("hands everything to a logger of the program, and survives one that throws", () => {
    const told: unknown[] = [];
    const logger = {
      ...{ debug: () => {}, warn: () => {} },
      info(this: unknown, ...given: unknown[]) {
        told.push([this === logger, ...given]);
      },
      error: () => {
        throw new Error("disk full");
      },
    };
    const printed: string[] = [];
    const { error } = console;
    console.error = (line: string) => void printed.push(line);
    try {
      written({ logger }, (log) => {
        log.info("hi", { n: 1 });
        log.info("alone");
        log.error("lost");
      });
    } finally {
      console.error = error;
    }
    assert.deepEqual(told, [
      [true, "hi", { n: 1 }],
      [true, "alone"],
    ]);
    assert.match(printed.join(), /the logger failed error="disk full" of=lost|the logger failed error="disk full"/);
  });
});

test("settings: NATCHET_LOG holds for a client too, what code says goes first, and a logger gets every level", () => {
  const level = (options: Parameters<typeof resolveSettings>[0], by?: "warn") => resolveSettings(options, by).log;
  const before = process.env["NATCHET_LOG"];
  delete process.env["NATCHET_LOG"];
  try {
    assert.deepEqual([level({}), level({}, "warn"), level({ logger: console }, "warn")], ["info", "warn", "debug"]);
    process.env["NATCHET_LOG"] = "error";
    assert.deepEqual([level({}), level({}, "warn"), level({ logger: console })], ["error", "error", "error"]);
    assert.equal(level({ log: "debug" }, "warn"), "debug");
  } finally {
    if (before === undefined) delete process.env["NATCHET_LOG"];
    else process.env["NATCHET_LOG"] = before;
  }
  assert.throws(() => assertLogger({ debug() {}, info() {}, warn() {} } as never), /logger: error is not a function/);
});

test("a line of the log has a size, whatever is told: its message, its fields, and an error with its stack and its cause", () => {
  const huge = "x".repeat(5_000_000);
  const cause = new Error(huge);
  for (const format of ["text", "json"] as const) {
    const lines: string[] = [];
    const log = makeLog({ level: "info", format, terminal: false, colours: false, write: (line) => lines.push(line) });
    log.error(huge, {
      text: huge,
      list: [huge],
      error: new Error(huge, { cause }),
      plain: { name: huge, message: huge },
    });
    assert.equal(lines.length, 1);
    assert.ok(lines[0]!.length < 100_000, `${format}: ${lines[0]!.length}`);
    assert.match(lines[0]!, /… \(\d+ more characters\)/);
  }
});
