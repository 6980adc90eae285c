/**
 * Scan to log in, in your own page: `const { code } = await scanLogin({ issuer, clientId })`. Nothing is navigated, and
 * the code is of use only to whoever has the verifier that this page made.
 */
import { failure } from './failure.js';
import { createPanel, el } from './panel.js';
import { isInside, redirectLogin } from './redirect.js';

export { isFailure } from './failure.js';
export { createLogin } from './login.js';
export { finishRedirect, redirectLogin } from './redirect.js';

/**
 * @typedef {import('./login.js').LoginOptions} LoginOptions
 * @typedef {import('./login.js').LoginResult} LoginResult
 * @typedef {import('./login.js').LoginStatus} LoginStatus
 * @typedef {import('./login.js').View} View
 * @typedef {import('./login.js').Channel} Channel
 * @typedef {import('./failure.js').LoginFailure} LoginFailure
 * @typedef {import('./failure.js').Reason} Reason
 *
 * @typedef {object} More
 * @property {'auto'|'panel'|'redirect'} [mode] `auto` leaves the page only inside WeChat and WeCom
 * @property {'auto'|'light'|'dark'} [theme]
 * @property {AbortSignal} [signal] closes the panel, as the person can
 * @property {(result: LoginResult) => void} [success]
 * @property {(failed: LoginFailure) => void} [fail]
 * @property {(outcome: LoginResult | LoginFailure) => void} [complete] after either
 *
 * @typedef {import('./login.js').LoginOptions & More} ScanLoginOptions
 */

/** Shows the panel in a layer over the page. @param {ScanLoginOptions} options @returns {Promise<LoginResult>} */
export function scanLogin(options) {
  const { mode, success, fail, complete } = options;
  /** @type {Promise<LoginResult>} */
  const outcome = new Promise((resolve, reject) => {
    if (typeof HTMLDialogElement === 'undefined') throw failure('unsupported');
    if (mode === 'redirect' || (mode !== 'panel' && isInside())) resolve(redirectLogin(options));
    else layer(options, resolve, reject);
  });
  if (success || fail || complete) {
    outcome.then(success, fail || String);
    outcome.then(complete, complete || String);
  }
  return outcome;
}

/** @param {ScanLoginOptions} options @param {(result: LoginResult) => void} resolve @param {(failed: LoginFailure) => void} reject */
function layer(options, resolve, reject) {
  const { signal } = options;
  const host = el('div', { theme: options.theme });
  const root = host.attachShadow({ mode: 'open' });
  /** @param {Event} event */
  const close = (event) => {
    event.preventDefault();
    panel.login.cancel();
  };
  /** @template T @param {(value: T) => void} settle @returns {(value: T) => void} */
  const leave = (settle) => (value) => {
    if (signal) signal.removeEventListener('abort', close);
    dialog.close(); // gives the focus back
    host.remove();
    settle(value);
  };
  const panel = createPanel(root, options, { close, success: leave(resolve), failure: leave(reject) });
  const dialog = el('dialog', { 'aria-labelledby': 'title', cancel: close }, panel.card);
  root.append(dialog);
  document.body.append(host);
  dialog.showModal();
  panel.login.start();
  if (signal) {
    signal.addEventListener('abort', close);
    if (signal.aborted) panel.login.cancel();
  }
}
