/** The back end of this site. It alone holds the client secret and the PKCE verifier. */

async function call(method, path, body) {
  const answer = await fetch(`/api/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const told = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(told.message), { status: answer.status });
  return told;
}

export const api = {
  /** Who is signed in; `null` for nobody. */
  me: () => call('GET', 'me'),
  /** What a scan login needs: `{ issuer, clientId, redirectUri, state, nonce, codeChallenge }`. */
  begin: () => call('POST', 'scan/begin'),
  /** Hands the code over, and whose it is; the answer is the person. */
  finish: ({ code, state, issuer }) => call('POST', 'scan/finish', { code, state, issuer }),
  /** The site's own accounts, which have nothing to do with Mashang. */
  password: (name, password) => call('POST', 'password', { name, password }),
  signOut: () => call('POST', 'sign-out'),
};
