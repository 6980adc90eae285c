/**
 * Why a login failed, shaped as `uni.login` tells it.
 *
 * @typedef {'cancelled'|'denied'|'wrong_number'|'expired'|'timeout'|'refused'|'network'|'server'|'not_allowed'|'invalid_request'|'mismatch'
 *   |'insecure_context'|'unsupported'} Reason
 * @typedef {Error & {errMsg: string, errCode: number, reason: Reason, detail: string}} LoginFailure
 */

/** `errCode` is 1001 and the place in this list: never reordered. */
export const REASONS = [
  'cancelled', // the person closed the panel
  'denied', // on the phone
  'wrong_number', // typed on the phone: somebody else's screen, perhaps
  'expired', // nobody scanned in time, or confirmed
  'timeout', // of the call
  'refused', // this account, or this way to sign in, is not admitted
  'network', // nothing answers at the issuer's address, or the page's connect-src forbids it
  'server', // it answers, and cannot now
  'not_allowed', // this page's origin is none of the client's
  'invalid_request', // an unknown client, redirect address, provider …
  'mismatch', // an answer that is not to our question
  'insecure_context', // plain http
  'unsupported', // not a browser, or too old a one
];

/** @param {Reason} reason @param {string} [detail] a sentence for people or for whoever writes the page @returns {LoginFailure} */
export function failure(reason, detail = '') {
  const errMsg = `login:fail ${reason}${detail && `: ${detail}`}`;
  return Object.assign(new Error(errMsg), { errMsg, errCode: 1001 + REASONS.indexOf(reason), reason, detail });
}

/** The failure in an answer of the Browser API. @param {import('./request.js').Answer} answer */
export function refusal({ status, body }) {
  const reason = body.error === 'origin_not_allowed' ? 'not_allowed' : status === 403 ? 'refused'
    : status === 429 || status > 499 ? 'server' : 'invalid_request';
  return failure(reason, body.error_description || String(status));
}

/** Whether trying again may help. @param {LoginFailure} failed */
export const isPassing = ({ errCode }) => errCode < 1009;

/** Whether it is one of ours, whatever was thrown. @param {any} error @returns {error is LoginFailure} */
export const isFailure = (error) => Boolean(error) && error.errCode > 0;
