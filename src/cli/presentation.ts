// How the command line shows help and errors: requested help goes to stdout, errors to stderr.
import * as Console from "effect/Console";
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import { printableLines } from "../domain/printable.ts";
import { CliOutput } from "./effect-cli.ts";

const formatError = (error: { readonly message: string }): string => `error: ${printableLines(error.message)}`;

const formatter: CliOutput.Formatter = {
  ...CliOutput.defaultFormatter(),
  formatError,
  formatErrors: (errors) => errors.map(formatError).join("\n"),
};

/** A wrong command line gets a few lines: the whole help would push the error out of sight. */
const presenter: CliOutput.Presenter = {
  present: Effect.fnUntraced(function* (event) {
    if (event._tag !== "InvalidInvocation") return yield* CliOutput.defaultPresenter.present(event);
    const { errors, helpDoc, commandPath } = event;
    yield* Console.error(formatter.formatErrors(errors));
    yield* Console.error(`\nUsage: ${helpDoc.usage}\nMore:  ${commandPath.join(" ")} --help`);
  }),
};

export const presentation = Layer.merge(CliOutput.layer(formatter), CliOutput.layerPresenter(presenter));
