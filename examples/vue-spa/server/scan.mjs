/** Scan login, as seen by the back end: make what the page needs, and turn the code it brings back into a person. */

import * as oidc from 'openid-client';

export class Scan {
  /** @param {{issuer: string, clientId: string, clientSecret: string, redirectUri: string}} client as registered */
  constructor(client) {
    this.client = client;
  }

  async provider() {
    const { issuer, clientId, clientSecret } = this.client;
    // Plain http is for trying things out on one machine.
    const options = issuer.startsWith('http:') ? { execute: [oidc.allowInsecureRequests] } : {};
    this.found ??= oidc.discovery(new URL(issuer), clientId, undefined, oidc.ClientSecretBasic(clientSecret), options);
    return this.found.catch((error) => {
      this.found = undefined; // ask again next time
      throw error;
    });
  }

  /** State, nonce and verifier are made here and stay in this browser's session: a code from elsewhere fits none of them. */
  async begin(visit) {
    await this.provider();
    const codeVerifier = oidc.randomPKCECodeVerifier();
    const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
    visit.keepScan(state, { codeVerifier, nonce });
    const codeChallenge = await oidc.calculatePKCECodeChallenge(codeVerifier);
    const { issuer, clientId, redirectUri } = this.client;
    return { issuer, clientId, redirectUri, state, nonce, codeChallenge };
  }

  /** One standard token request. `issuer` is whose answer the page took the code from (RFC 9207). */
  async finish(visit, { code, state, issuer }) {
    const begun = visit.takeScan(state);
    if (!begun) throw Object.assign(new Error('这次登录不是从本页开始的，请重新扫码'), { status: 400 });
    const provider = await this.provider();
    if (issuer !== provider.serverMetadata().issuer) throw Object.assign(new Error('这不是登录服务的答复，请重新扫码'), { status: 400 });
    const returned = new URL(this.client.redirectUri);
    returned.search = new URLSearchParams({ code, state, iss: issuer }).toString();
    const tokens = await oidc.authorizationCodeGrant(provider, returned, {
      pkceCodeVerifier: begun.codeVerifier, expectedState: state, expectedNonce: begun.nonce, idTokenExpected: true,
    }).catch((error) => {
      throw error.error === 'invalid_grant' ? Object.assign(new Error('二维码已用过或已过期，请重新扫码'), { status: 400 }) : error;
    });
    const { sub } = tokens.claims();
    const { name } = await oidc.fetchUserInfo(provider, tokens.access_token, sub);
    return { sub, name: name ?? '新用户' };
  }
}
