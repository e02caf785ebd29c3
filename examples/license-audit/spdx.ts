// Reads the licence field of a package manifest: an SPDX expression, or one of the many things that people write instead.

/** A licence expression: one identifier, or several joined by AND or OR. */
export type Expression = string | { readonly op: "AND" | "OR"; readonly terms: readonly Expression[] };

const aliases: Readonly<Record<string, string>> = {
  apache: "Apache-2.0",
  "apache 2": "Apache-2.0",
  "apache 2.0": "Apache-2.0",
  "apache-2": "Apache-2.0",
  apache2: "Apache-2.0",
  "apache license 2.0": "Apache-2.0",
  "apache license, version 2.0": "Apache-2.0",
  bsd: "BSD-2-Clause",
  "bsd-2": "BSD-2-Clause",
  "bsd-3": "BSD-3-Clause",
  "new bsd": "BSD-3-Clause",
  gplv2: "GPL-2.0",
  gplv3: "GPL-3.0",
  "gpl-2": "GPL-2.0",
  "gpl-3": "GPL-3.0",
  lgplv3: "LGPL-3.0",
  "mit license": "MIT",
  "the mit license": "MIT",
  "mit/x11": "MIT",
  "mpl 2.0": "MPL-2.0",
  "public domain": "Unlicense",
  "the unlicense": "Unlicense",
  cc0: "CC0-1.0",
};

const known = new Map(
  (
    "MIT MIT-0 ISC 0BSD BSD-2-Clause BSD-3-Clause BSD-4-Clause Apache-2.0 MPL-2.0 Unlicense CC0-1.0 CC-BY-4.0 BlueOak-1.0.0 Zlib " +
    "BSL-1.0 WTFPL Artistic-2.0 Python-2.0 EPL-2.0 GPL-2.0 GPL-3.0 LGPL-2.1 LGPL-3.0 AGPL-3.0"
  )
    .split(" ")
    .map((id) => [id.toLowerCase(), id]),
);

/**
 * Reads the `license` (or old `licenses`) field of a manifest.
 *
 * Shape: text, `{ type }` or an array of them → expression; `undefined` if nothing usable is declared
 */
export function parseLicenceField(field: unknown): Expression | undefined {
  if (Array.isArray(field)) {
    const terms = field.map(parseLicenceField).filter((term) => term !== undefined);
    return terms.length > 1 ? { op: "OR", terms } : terms[0];
  }
  if (typeof field === "object" && field !== null && "type" in field) return parseLicenceField(field.type);
  if (typeof field !== "string" || field.trim() === "" || /^(unlicensed|see licen[cs]e in)/i.test(field.trim()))
    return undefined;
  const alias = aliases[field.trim().toLowerCase()];
  return alias ?? parseExpression(field);
}

/** Writes an expression in its normal form, for example `(MIT OR Apache-2.0)`. */
export function formatExpression(expression: Expression): string {
  if (typeof expression === "string") return expression;
  return `(${expression.terms.map(formatExpression).join(` ${expression.op} `)})`;
}

/** Tells whether the licences found satisfy the expression. */
export function isSatisfied(expression: Expression, found: ReadonlySet<string>): boolean {
  if (typeof expression === "string") return found.has(expression);
  const holds = (term: Expression) => isSatisfied(term, found);
  return expression.op === "AND" ? expression.terms.every(holds) : expression.terms.some(holds);
}

// OR binds weaker than AND; an exception after WITH only adds permissions, so the licence before it decides.
function parseExpression(text: string): Expression {
  const tokens = text.match(/\(|\)|[^\s()]+/g) ?? [];
  let at = 0;
  const joined = (op: "AND" | "OR", next: () => Expression): Expression => {
    const terms = [next()];
    while (tokens[at]?.toUpperCase() === op) {
      at += 1;
      terms.push(next());
    }
    return terms.length > 1 ? { op, terms } : terms[0]!;
  };
  const any = (): Expression => joined("OR", () => joined("AND", one));
  const one = (): Expression => {
    const token = tokens[at++] ?? "";
    if (token === "(") {
      const inner = any();
      at += 1;
      return inner;
    }
    if (tokens[at]?.toUpperCase() === "WITH") at += 2;
    return normalIdentifier(token);
  };
  const expression = any();
  return at >= tokens.length ? expression : text.trim();
}

// "GPL-3.0-or-later" and "GPL-3.0-only" name the same text.
function normalIdentifier(token: string): string {
  const base = token.replace(/(-only|-or-later|\+)$/i, "");
  return aliases[base.toLowerCase()] ?? known.get(base.toLowerCase()) ?? base;
}
