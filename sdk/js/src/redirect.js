/**
 * The way without a panel: the whole page goes to the issuer and comes back with a code in its address. For browsers
 * inside WeChat and WeCom, and for whoever likes it. What must be remembered stays in this tab's `sessionStorage`.
 */
import { failure } from './failure.js';
import { addressOf, authorizeUrl } from './login.js';
import { prepare } from './pkce.js';
import { language } from './words.js';

const KEY = 'mashang:';
const NAMES = ['code', 'state', 'iss', 'error', 'error_description'];

/** Whether this is the browser inside WeChat or WeCom, where a QR is of no use. */
export const isInside = () => /MicroMessenger|wxwork/i.test(navigator.userAgent);

/**
 * Leaves the page; what it promises never comes. It rejects with `cancelled` if the person goes back to a page that the
 * browser kept as it was. `redirectUri`, else this page's address without its query and hash, must be registered, and
 * calls `finishRedirect`. In a frame it is the whole page that goes: inside WeChat a framed login page stays blank. Where that
 * page is somebody else's, it rejects with `unsupported`.
 *
 * @param {import('./login.js').LoginOptions} options @returns {Promise<never>}
 */
export async function redirectLogin(options) {
  if (typeof document === 'undefined') throw failure('unsupported');
  const issuer = addressOf(options);
  const redirectUri = options.redirectUri || location.origin + location.pathname;
  const proof = await prepare(options);
  const { codeChallenge, ...kept } = proof;
  const url = authorizeUrl({ ...options, lang: language(options.lang) }, proof, { redirect_uri: redirectUri, login_hint: options.provider });
  try {
    sessionStorage.setItem(KEY + kept.state, JSON.stringify({ ...kept, redirectUri, issuer }));
    /** @type {Window} */ (top).location.assign(url);
  } catch (error) {
    throw failure('unsupported', 'in a frame of another origin, or without storage');
  }
  return new Promise((_, reject) => {
    addEventListener('pageshow', ({ persisted }) => { if (persisted) reject(failure('cancelled')); });
  });
}

/**
 * On the page that `redirectLogin` comes back to: the result, once, and a clean address; `null` if nobody of ours comes
 * back here. Rejects with the failure, `denied` for example. Reads the query, and the query of a hash router.
 *
 * @returns {Promise<import('./login.js').LoginResult | null>}
 */
export async function finishRedirect() {
  if (typeof document === 'undefined') return null;
  const here = new URL(location.href);
  const [route, inHash] = here.hash.split('?');
  const hashed = new URLSearchParams(inHash);
  const query = here.searchParams.has('state') ? here.searchParams : hashed;
  const [code, state, iss, error, text] = NAMES.map((name) => query.get(name));
  const kept = state && sessionStorage.getItem(KEY + state);
  if (!kept || !(code || error)) return null; // not ours, or a reload
  sessionStorage.removeItem(KEY + state);
  for (const name of NAMES) query.delete(name);
  if (query === hashed) here.hash = String(hashed) ? `${route}?${hashed}` : route;
  history.replaceState(history.state, '', here.href);
  const result = JSON.parse(kept);
  if (iss && iss !== result.issuer) throw failure('mismatch', iss);
  if (error) throw failure(error === 'access_denied' ? 'denied' : 'server', text || error);
  return { code, ...result };
}
