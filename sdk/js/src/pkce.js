/** Proof key for code exchange (RFC 7636), S256, and other things that nobody can guess. */
import { failure } from './failure.js';

/** @param {Uint8Array} bytes */
function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '');
}

/** 256 random bits. */
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

/** @param {string} verifier */
export async function challenge(verifier) {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))));
}

/**
 * What one login asks with and is answered by. Browsers hash on https and on localhost only; the server takes no other
 * redirect address either, so a hash of our own would help nobody.
 *
 * @param {{state?: string, nonce?: string, codeChallenge?: string}} given else made here
 * @returns {Promise<import('./login.js').Proof>}
 */
export async function prepare({ state = random(), nonce = random(), codeChallenge }) {
  if (!crypto.subtle) throw failure('insecure_context');
  if (codeChallenge) return { state, nonce, codeChallenge };
  const codeVerifier = random();
  return { state, nonce, codeVerifier, codeChallenge: await challenge(codeVerifier) };
}
