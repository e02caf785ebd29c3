// Recognises a licence by phrases that only its text holds. Texts differ in line breaks, quotes, bullets and owners, so all of
// that is taken away first.

interface Fingerprint {
  readonly id: string;
  readonly all: readonly string[];
  readonly none?: readonly string[];
}

const grant =
  "permission is hereby granted free of charge to any person obtaining a copy of this software and associated documentation";
const iscGrant = "this software for any purpose with or without fee is hereby granted";
const bsdGrant = "redistribution and use in source and binary forms with or without modification are permitted";

const fingerprints: readonly Fingerprint[] = [
  { id: "MIT", all: [grant, "the above copyright notice and this permission notice"] },
  { id: "MIT-0", all: [grant], none: ["the above copyright notice and this permission notice"] },
  { id: "ISC", all: [iscGrant, "provided that the above copyright notice"] },
  { id: "0BSD", all: [iscGrant], none: ["provided that the above copyright notice"] },
  { id: "BSD-4-Clause", all: [bsdGrant, "all advertising materials mentioning"] },
  {
    id: "BSD-3-Clause",
    all: [bsdGrant, "endorse or promote products"],
    none: ["all advertising materials mentioning"],
  },
  {
    id: "BSD-2-Clause",
    all: [bsdGrant],
    none: ["endorse or promote products", "all advertising materials mentioning"],
  },
  {
    id: "Apache-2.0",
    all: ["apache license version 2 0", "terms and conditions for use reproduction and distribution"],
  },
  { id: "MPL-2.0", all: ["mozilla public license version 2 0"] },
  { id: "Unlicense", all: ["this is free and unencumbered software released into the public domain"] },
  { id: "CC0-1.0", all: ["cc0 1 0 universal"] },
  { id: "CC-BY-4.0", all: ["creative commons attribution 4 0 international"] },
  { id: "BlueOak-1.0.0", all: ["blue oak model license"] },
  { id: "Zlib", all: ["without any express or implied warranty", "altered source versions must be plainly marked"] },
  { id: "BSL-1.0", all: ["boost software license version 1 0"] },
  { id: "WTFPL", all: ["do what the fuck you want to public license"] },
  { id: "Artistic-2.0", all: ["the artistic license 2 0"] },
  { id: "Python-2.0", all: ["python software foundation license version 2"] },
  { id: "EPL-2.0", all: ["eclipse public license v 2 0"] },
  { id: "GPL-2.0", all: ["gnu general public license version 2 june 1991"] },
  { id: "GPL-3.0", all: ["gnu general public license version 3 29 june 2007"] },
  { id: "LGPL-2.1", all: ["gnu lesser general public license version 2 1 february 1999"] },
  { id: "LGPL-3.0", all: ["gnu lesser general public license version 3 29 june 2007"] },
  { id: "AGPL-3.0", all: ["gnu affero general public license version 3 19 november 2007"] },
];

/**
 * Finds the licences whose text a file holds; a file may hold several.
 *
 * Shape: `string → SPDX identifier[]`, sorted, without doubles; empty if the text is none that is known
 */
export function recogniseLicences(text: string): string[] {
  const plain = text.toLowerCase().replaceAll(/[^a-z0-9]+/g, " ");
  const holds = (phrase: string) => plain.includes(phrase);
  return fingerprints
    .filter(({ all, none = [] }) => all.every(holds) && !none.some(holds))
    .map(({ id }) => id)
    .sort();
}
