/** Waiting for conditions. Nothing here, and no test, waits for a length of time. */

const DEADLINE = 15_000;
const nextTurn = () => new Promise((done) => setTimeout(done, 20));

/**
 * Asks until the answer is truthy, and returns it; after the deadline, fails saying what did not happen.
 *
 * @template T
 * @param {string} what
 * @param {() => T | Promise<T>} condition
 * @param {number} [within] milliseconds
 * @returns {Promise<T>}
 */
export async function until(what, condition, within = DEADLINE) {
  const end = performance.now() + within;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (performance.now() > end) throw new Error(`did not happen within ${within} ms: ${what}`);
    await nextTurn();
  }
}
