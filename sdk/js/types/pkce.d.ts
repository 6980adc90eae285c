/** @param {string} verifier */
export function challenge(verifier: string): Promise<string>;
/**
 * What one login asks with and is answered by. Browsers hash on https and on localhost only; the server takes no other
 * redirect address either, so a hash of our own would help nobody.
 *
 * @param {{state?: string, nonce?: string, codeChallenge?: string}} given else made here
 * @returns {Promise<import('./login.js').Proof>}
 */
export function prepare({ state, nonce, codeChallenge }: {
    state?: string;
    nonce?: string;
    codeChallenge?: string;
}): Promise<import("./login.js").Proof>;
