/** A function that acts once, a little later, however often it is called until then. */
export function onceATick(act: () => void, later: (act: () => void) => unknown = setImmediate): () => void {
  let isDue = false;
  const due = () => {
    isDue = false;
    act();
  };
  return () => {
    if (isDue) return;
    isDue = true;
    later(due);
  };
}
