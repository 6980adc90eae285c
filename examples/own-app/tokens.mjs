/** Tokens for the app's own people: short-lived JWTs, and the public key that verifies them. Nothing but Node. */

import { createHash, generateKeyPairSync, sign } from 'node:crypto';

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

export class TokenIssuer {
  /**
   * @param {string} issuer  `iss`, and where the discovery document is
   * @param {string} audience  `aud`: the login server. A token for your own API should carry another one
   */
  constructor(issuer, audience) {
    this.issuer = issuer;
    this.audience = audience;
    // A real back end keeps its key. This one makes a new one at each start, which Mashang finds by its `kid`.
    this.pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = this.pair.publicKey.export({ format: 'jwk' });
    this.kid = createHash('sha256').update(JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y })).digest('base64url');
    this.jwk = { ...jwk, kid: this.kid, use: 'sig', alg: 'ES256' };
  }

  /** For the two minutes that a login takes. */
  tokenFor(subject, name) {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: this.issuer, aud: this.audience, sub: subject, name, iat: now, exp: now + 120 };
    return this.sign(claims);
  }

  sign(claims) {
    const message = `${encode({ alg: 'ES256', typ: 'JWT', kid: this.kid })}.${encode(claims)}`;
    const signature = sign('sha256', message, { key: this.pair.privateKey, dsaEncoding: 'ieee-p1363' });
    return `${message}.${signature.toString('base64url')}`;
  }

  jwks() {
    return { keys: [this.jwk] };
  }

  discovery() {
    return { issuer: this.issuer, jwks_uri: `${this.issuer}/jwks` };
  }
}
