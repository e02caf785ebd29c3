// The base of each error that is told by its tag.
import * as Data from "effect/Data";

/** Written out, so that the published types can be read without inferring a call and without Effect's own. */
export interface Tagged<Tag extends string> {
  new <Fields extends object>(fields: Fields): Error & { readonly _tag: Tag } & Readonly<Fields>;
}
export const tagged = <Tag extends string>(tag: Tag): Tagged<Tag> => Data.TaggedError(tag) as unknown as Tagged<Tag>;
