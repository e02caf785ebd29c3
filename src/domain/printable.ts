// Names and texts of others, made safe to show: terminals interpret control characters, and a line break could forge a line.

/** A log line needs no more of one text. */
const longestText = 8_192;

/** At most `limit` characters; says how many are missing. */
export const cutText = (text: string, limit: number = longestText): string =>
  text.length <= limit ? text : `${text.slice(0, limit).toWellFormed()}… (${text.length - limit} more characters)`;

/** Controls (C0, DEL, C1), line and paragraph separators, and what reverses the direction of text. */
const unsafe = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
/** Most texts need no more than this test, which costs a tenth of the replacement. */
const isPlain = (text: string): boolean => /^[ -~]*$/.test(text);
const short: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** The text on one line, with everything that a terminal would interpret escaped, such as `\x1b`. */
export function printable(text: string): string {
  if (isPlain(text)) return text;
  return text.replace(unsafe, (found) => short[found] ?? escaped(found.charCodeAt(0)));
}

/** The same for text of several lines, such as a stack: its line breaks and tabs stay. */
export function printableLines(text: string): string {
  if (isPlain(text)) return text;
  return text
    .split(/\r?\n/)
    .map((line) => line.split("\t").map(printable).join("\t"))
    .join("\n");
}

/** JSON that is safe to show as well: JSON itself leaves DEL, C1 and the rest as they are. */
export const printableJson = (value: unknown, indent?: number): string =>
  escapeInJson(JSON.stringify(value, undefined, indent) ?? "null");

/** The same for JSON that is written already; the line breaks between its parts stay. */
export const escapeInJson = (json: string): string =>
  json.replace(unsafe, (found) => (found === "\n" ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`));

const escaped = (code: number): string =>
  code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
