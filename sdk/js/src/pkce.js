/** Proof key for code exchange (RFC 7636), S256, and other things that nobody can guess. */
import { failure } from './failure.js';

/** @param {Uint8Array} bytes */
function base64url(bytes) {
  return btoa(String.fromCharCode(...Array.from(bytes))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

/** 256 random bits: a verifier, a state, a nonce. */
export const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

/**
 * What of a verifier may be shown. Browsers do this on https and on localhost only; the server takes no other redirect
 * address either, so an implementation of our own would help nobody.
 *
 * @param {string} verifier
 */
export async function challenge(verifier) {
  if (typeof crypto === 'undefined' || !crypto.subtle) throw failure('insecure_context');
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))));
}
