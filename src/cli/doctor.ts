// `natchet doctor`: what may be wrong, and every setting with its source.
import * as Effect from "effect/Effect";
import { printable } from "../domain/printable.ts";
import { type Checkup, checkUp, type Finding } from "../facade/checkup.ts";
import type { SettingInForce } from "../facade/settings-in-force.ts";
import { Command } from "./effect-cli.ts";
import { formatTable, outputFlag, printJson } from "./output.ts";
import { connectOptions, root } from "./root.ts";
import { attempt } from "./with-client.ts";

export const doctor = Command.make(
  "doctor",
  { output: outputFlag },
  Effect.fn(function* ({ output }) {
    const options = connectOptions(yield* root);
    yield* attempt(async () => {
      const checkup = await checkUp(options, Object.keys(process.env));
      if (output === "json") printJson(checkup);
      else console.log(checkupText(checkup, process.stdout.isTTY ? process.stdout.columns : undefined));
      const faults = checkup.findings.filter(({ verdict }) => verdict === "bad").length;
      if (faults > 0) throw new Error(faults === 1 ? "one problem was found" : `${faults} problems were found`);
    });
  }),
).pipe(
  Command.withDescription(
    "Check server, permissions, streams, clock, engine and settings, and say how to fix what is wrong; changes nothing",
  ),
);

/** Findings in the order in which they were made, then the settings. */
function checkupText({ findings, settings }: Checkup, width?: number): string {
  return [
    ...findings.map(findingText),
    ...(settings.length === 0 ? [] : ["", formatTable(settings, columns, width)]),
  ].join("\n");
}

function findingText({ about, verdict, text, fix }: Finding): string {
  const line = `${verdict.padEnd(5)} ${about.padEnd(12)} ${printable(text)}`;
  return fix === undefined ? line : `${line}\n${" ".repeat(19)}fix: ${printable(fix)}`;
}

const columns = {
  setting: ({ name }: SettingInForce) => name,
  value: ({ value }: SettingInForce) => value,
  from: ({ from }: SettingInForce) => from,
  meaning: ({ meaning }: SettingInForce) => meaning,
};
