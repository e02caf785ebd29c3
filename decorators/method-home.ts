/** Where one method's facts are kept: on the function, and on its owner, so that a decorator that replaces the function cannot lose them. */
export interface MethodHome {
  readonly method: object;
  /** The prototype (legacy decorators) or the metadata object (standard ones). */
  readonly owner: object | undefined;
  readonly key: string;
}
