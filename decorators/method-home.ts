/** Where one method's data is kept: on the function, and on its owner, so that a decorator that replaces the function cannot lose it. */
export interface MethodHome {
  readonly method: object;
  /** The prototype (legacy decorators) or the metadata object (standard ones). */
  readonly owner: object | undefined;
  readonly key: string;
}
