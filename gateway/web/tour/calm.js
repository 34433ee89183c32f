// @ts-check
/** Figures that stand still long enough to be read: at once after a quiet spell, then at most every `every` ms. */

/** Returns a function that takes a new value and how to show it; what may be shown is shown, the newest last.
 * `atOnce` is for what must not wait, such as a mark or a change of state.
 * @param {number} [every] @param {() => number} [now] @param {(job: () => void, ms: number) => unknown} [later] */
export function calm(every = 2000, now = () => performance.now(), later = setTimeout) {
  let last = -Infinity;
  let key = "";
  let due = false;
  /** @type {[any, (value: any) => void]} */ let newest;

  const put = () => {
    const [value, show] = newest;
    const text = JSON.stringify(value);
    if (text === key) return;
    key = text;
    last = now();
    show(value);
  };
  return (/** @type {any} */ value, /** @type {(value: any) => void} */ show, atOnce = false) => {
    newest = [value, show];
    if (atOnce || now() - last >= every) put();
    else if (!due) {
      due = true;
      later(() => { due = false; put(); }, every - (now() - last));
    }
  };
}
