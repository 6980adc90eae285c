/** The back end of this site. It alone holds the client secret and the PKCE verifier. */

/** On H5 the pages and the back end share an origin; a mini-program and an app need the whole address. */
const BASE = '';

export interface Person { sub: string; name: string }
/** What a scan login needs, made by the back end. */
export interface Begun {
  issuer: string; clientId: string; redirectUri: string; state: string; nonce: string; codeChallenge: string;
}

function call<T>(method: 'GET' | 'POST', path: string, data?: object): Promise<T> {
  return new Promise((resolve, reject) => {
    uni.request({
      url: `${BASE}/api/${path}`,
      method,
      data,
      header: { 'content-type': 'application/json' },
      success: ({ statusCode, data: told }) => {
        if (statusCode === 200) resolve(told as T);
        else reject(new Error((told as { message?: string }).message || `HTTP ${statusCode}`));
      },
      fail: ({ errMsg }) => reject(new Error(errMsg)),
    });
  });
}

export const api = {
  me: () => call<{ person: Person | null }>('GET', 'me'),
  begin: () => call<Begun>('POST', 'begin', {}),
  /** The code, and which sign-in and whose answer it is of. */
  finish: ({ code, state, issuer }: { code: string; state?: string; issuer?: string }) => call<Person>('POST', 'finish', { code, state, issuer }),
  signOut: () => call<null>('POST', 'sign-out', {}),
};
