/** FNV-1a over the first `characters` and the length: to compare texts, and nothing else. Shape: a whole number of 32 bits */
export function hashOfText(text: string, characters: number = text.length): number {
  let hash = 0x811c9dc5 ^ text.length;
  const end = Math.min(text.length, characters);
  for (let i = 0; i < end; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
