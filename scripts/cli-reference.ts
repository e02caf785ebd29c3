// Writes the commands of docs/reference/cli.md, from the help that they print: `bun run scripts/cli-reference.ts`. A test compares the two.
import { readFileSync, writeFileSync } from "node:fs";
import { Effect, Layer, Option } from "effect";
import { CliConfig, CliOutput, Command, GlobalFlag } from "../src/cli/effect-cli.ts";
import { cli } from "../src/cli/main.ts";
import { CliPlatform } from "../src/cli/platform.ts";

type HelpDoc = Extract<CliOutput.Presenter.Event, { readonly _tag: "Help" }>["helpDoc"];

const file = new URL("../docs/reference/cli.md", import.meta.url);
/** What stands before it is written by hand. */
export const marker = "## Commands\n";

/** The part of the page behind the marker. */
export async function commandReference(): Promise<string> {
  const sections: string[] = [];
  const visit = async (path: readonly string[]): Promise<void> => {
    const doc = await helpOf(path);
    const groups = doc.subcommands ?? [];
    if (groups.length === 0) sections.push(sectionOf(path, doc));
    for (const { commands } of groups) for (const { name } of commands) await visit([...path, name]);
  };
  await visit([]);
  return `\n${sections.join("\n")}`;
}

async function helpOf(path: readonly string[]): Promise<HelpDoc> {
  let found: HelpDoc | undefined;
  const presenter = CliOutput.layerPresenter({
    present: (event) =>
      Effect.sync(() => {
        if (event._tag === "Help") found = event.helpDoc;
      }),
  });
  const services = Layer.mergeAll(CliPlatform, CliConfig.layer({ builtIns: [GlobalFlag.Help] }), presenter);
  await Effect.runPromise(Command.runWith(cli, { version: "" })([...path, "--help"]).pipe(Effect.provide(services)));
  if (found === undefined) throw new Error(`no help for natchet ${path.join(" ")}`);
  return found;
}

function sectionOf(path: readonly string[], doc: HelpDoc): string {
  const rows = [
    ...(doc.args ?? []).map(({ name, variadic, description }) => row(`\`${name}${variadic ? "…" : ""}\``, description)),
    ...doc.flags.map(({ name, aliases, type, description }) => {
      const names = [`--${name}`, ...aliases].map((each) => `\`${each}\``).join(", ");
      return row(type === "boolean" ? names : `${names} *${type.replaceAll("|", "\\|")}*`, description);
    }),
  ];
  return [
    `### natchet ${path.join(" ")}\n`,
    `${doc.description}.\n`,
    "```sh",
    doc.usage,
    ...(doc.examples ?? []).map(({ command, description }) => `${command}   # ${description}`),
    "```\n",
    ...(rows.length === 0 ? [] : ["| | |", "|---|---|", ...rows, ""]),
  ].join("\n");
}

const row = (name: string, description: Option.Option<string>): string =>
  `| ${name} | ${Option.getOrElse(description, () => "").replaceAll("|", "\\|")} |`;

if (import.meta.main) {
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.slice(0, text.indexOf(marker) + marker.length) + (await commandReference()));
}
