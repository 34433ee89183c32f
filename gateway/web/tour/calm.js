// @ts-check
/** Figures that stand still long enough to be read: at once after a quiet spell, then at most every `every` ms. */

/** Returns a function that takes new values and calls `show` with those that may be shown, the newest last.
 * `atOnce` is for what must not wait, such as a mark or a change of state.
 * @template T @param {(value: T) => void} show @param {number} [every]
 * @param {() => number} [now] @param {(job: () => void, ms: number) => unknown} [later] */
export function calm(show, every = 2000, now = () => performance.now(), later = setTimeout) {
  let last = -Infinity;
  let key = "";
  let due = false;
  /** @type {T} */ let newest;

  const put = () => {
    const text = JSON.stringify(newest);
    if (text === key) return;
    key = text;
    last = now();
    show(newest);
  };
  return (/** @type {T} */ value, atOnce = false) => {
    newest = value;
    if (atOnce || now() - last >= every) put();
    else if (!due) {
      due = true;
      later(() => { due = false; put(); }, every - (now() - last));
    }
  };
}
