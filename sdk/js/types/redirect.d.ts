/**
 * Leaves the page; what it promises never comes. It rejects with `cancelled` if the person goes back to a page that the
 * browser kept as it was. `redirectUri`, else this page's address without its query and hash, must be registered, and
 * calls `finishRedirect`. In a frame it is the whole page that goes: inside WeChat a framed login page stays blank. Where that
 * page is somebody else's, it rejects with `unsupported`.
 *
 * @param {import('./login.js').LoginOptions} options @returns {Promise<never>}
 */
export function redirectLogin(options: import("./login.js").LoginOptions): Promise<never>;
/**
 * On the page that `redirectLogin` comes back to: the result, once, and a clean address; `null` if nobody of ours comes
 * back here. Rejects with the failure, `denied` for example. Reads the query, and the query of a hash router.
 *
 * @returns {Promise<import('./login.js').LoginResult | null>}
 */
export function finishRedirect(): Promise<import("./login.js").LoginResult | null>;
export function isInside(): boolean;
