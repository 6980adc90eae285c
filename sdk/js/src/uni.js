/**
 * One `login()` for uni-app: the panel in a browser (H5), `uni.login` in mini-programs and in the app. Nothing here is
 * compiled conditionally; what is there is looked at when it is called.
 */
import { failure } from './failure.js';
import { finishRedirect, scanLogin } from './mashang.js';

export { finishRedirect, redirectLogin } from './mashang.js';

/**
 * @typedef {import('./mashang.js').ScanLoginOptions} ScanLoginOptions
 *
 * `h5` is what only a browser needs; everything else is what `uni.login` takes.
 * @typedef {{provider?: string, timeout?: number, scopes?: string | string[], onlyAuthorize?: boolean,
 *   success?: (result: UniLoginResult) => void, fail?: (failed: any) => void, complete?: (outcome: any) => void,
 *   h5?: Partial<ScanLoginOptions> & {issuer: string, clientId: string}}} UniLoginOptions
 *
 * Besides `code`, all of a `LoginResult` in a browser, and none of it elsewhere.
 * @typedef {{code: string, errMsg?: string} & Partial<import('./mashang.js').LoginResult>} UniLoginResult
 */

/** Whether this is a browser's page. */
export const isH5 = () => typeof window !== 'undefined' && typeof document !== 'undefined' && typeof document.createElement === 'function';

/**
 * In a browser the result is a `LoginResult`, and a code that `redirectLogin` came back with counts at once; elsewhere it
 * is what `uni.login` gives.
 *
 * @param {UniLoginOptions} options @returns {Promise<UniLoginResult>}
 */
export function login(options) {
  const { h5, success, fail, complete, ...rest } = options;
  const outcome = isH5() ? inBrowser(rest, h5) : forward(rest);
  if (success || fail || complete) {
    outcome.then(success, fail || (() => {}));
    outcome.then(complete, complete || (() => {}));
  }
  return outcome;
}

/** @param {{provider?: string, timeout?: number}} rest @param {UniLoginOptions['h5']} h5 */
async function inBrowser({ provider, timeout }, h5) {
  if (!h5) throw failure('invalid_request', 'h5 is missing');
  return await finishRedirect() || scanLogin({ provider: provider === 'weixin' ? undefined : provider, timeout, ...h5 });
}

/** @param {object} rest @returns {Promise<any>} */
function forward(rest) {
  return new Promise((resolve, reject) => {
    // @ts-ignore: a global of uni-app, which every target has
    if (typeof uni === 'undefined') throw failure('unsupported');
    // @ts-ignore
    uni.login({ ...rest, success: resolve, fail: reject });
  });
}
