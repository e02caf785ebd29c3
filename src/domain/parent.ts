/** The metadata by which a child names its parent. */
export const parentKey = "natchet.parent";

/** What a child is created with: the metadata of its parent, except for natchet's own entries about the parent. */
export function inheritedMetadata({
  key,
  metadata,
}: {
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
}): Record<string, string> {
  const passed = Object.entries(metadata).filter(([name]) => !name.startsWith("natchet."));
  return { ...Object.fromEntries(passed), [parentKey]: key };
}
