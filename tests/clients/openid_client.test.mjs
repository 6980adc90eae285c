/** openid-client from npm, unmodified: discovery, PKCE, nonce, iss, refresh with rotation, userinfo, revocation, logout. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import * as oidc from 'openid-client';

import { startClientHouse } from './support.mjs';

const HERE = 'https://app.example/callback';
let house;
before(async () => { house = await startClientHouse(); });
after(() => house?.stop());

/** Registers a client and discovers the provider as it. */
async function client(id, options, metadata, authentication) {
  const secret = await house.server.addClient(id, [
    '--name', id, '--redirect-uri', HERE, '--post-logout-redirect-uri', 'https://app.example/', '--refresh-tokens', ...options,
  ]);
  return oidc.discovery(new URL(house.server.url), id, { client_secret: secret, ...metadata }, authentication, {
    execute: [oidc.allowInsecureRequests],
  });
}

/** Code flow up to the verified tokens. */
async function signIn(config, person) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()];
  const to = oidc.buildAuthorizationUrl(config, {
    redirect_uri: HERE,
    scope: 'openid profile offline_access wechat_openid',
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    prompt: 'consent',
  });
  const back = new URL(await house.scan(to.href, person));
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
  return { back, checks, tokens: await oidc.authorizationCodeGrant(config, back, checks) };
}

const header = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[0], 'base64url'));

for (const alg of ['RS256', 'ES256', 'EdDSA']) {
  test(`a confidential client with ${alg}: code flow, userinfo, refresh with rotation, logout address`, async () => {
    const config = await client(`app-${alg}`, ['--id-token-alg', alg], { id_token_signed_response_alg: alg });
    assert.equal(config.serverMetadata().issuer, house.server.url);
    assert.equal(config.serverMetadata().authorization_response_iss_parameter_supported, true);
    const { back, tokens } = await signIn(config, 'xiaoming');
    assert.equal(back.searchParams.get('iss'), house.server.url);
    assert.equal(header(tokens.id_token).alg, alg);
    const claims = tokens.claims();
    const { openids } = await house.wechat.person('xiaoming');
    const told = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
    assert.equal(told.name, '小明');
    assert.ok(Object.values(openids).includes(told.wechat_openid));

    const fresh = await oidc.refreshTokenGrant(config, tokens.refresh_token);
    assert.notEqual(fresh.refresh_token, tokens.refresh_token);
    assert.notEqual(fresh.access_token, tokens.access_token);
    assert.equal((await oidc.fetchUserInfo(config, fresh.access_token, claims.sub)).sub, claims.sub);

    const logout = oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: 'https://app.example/', state: 's' });
    const left = await house.leave(logout.href);
    assert.equal(left, 'https://app.example/?state=s');
  });
}

test('SEC-50 a refresh token that is used twice ends the whole family', async () => {
  const config = await client('app-replay', [], {});
  const { tokens } = await signIn(config, 'ada');
  const fresh = await oidc.refreshTokenGrant(config, tokens.refresh_token);
  // A repeat by the same client within moments may be a lost answer; the one after next is a thief's.
  const newest = await oidc.refreshTokenGrant(config, fresh.refresh_token);
  await assert.rejects(oidc.refreshTokenGrant(config, tokens.refresh_token), { error: 'invalid_grant' });
  await assert.rejects(oidc.refreshTokenGrant(config, newest.refresh_token), { error: 'invalid_grant' });
  await assert.rejects(oidc.fetchUserInfo(config, newest.access_token, oidc.skipSubjectCheck));
});

test('SEC-49 a code is good for one exchange, and a second one ends what the first gave', async () => {
  const config = await client('app-code-twice', [], {});
  const { back, checks, tokens } = await signIn(config, 'ada');
  await assert.rejects(oidc.authorizationCodeGrant(config, back, checks), { error: 'invalid_grant' });
  await assert.rejects(oidc.fetchUserInfo(config, tokens.access_token, oidc.skipSubjectCheck));
});

test('a public client with PKCE needs no secret', async () => {
  const config = await client('app-public', ['--public', '--id-token-alg', 'ES256'], { id_token_signed_response_alg: 'ES256' }, oidc.None());
  const { tokens } = await signIn(config, 'xiaohong');
  assert.equal((await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)).name, '小红');
  const fresh = await oidc.refreshTokenGrant(config, tokens.refresh_token);
  assert.ok(fresh.access_token);
});

test('SEC-48 without the right PKCE verifier there are no tokens', async () => {
  const config = await client('app-pkce', [], {});
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const to = oidc.buildAuthorizationUrl(config, {
    redirect_uri: HERE, scope: 'openid', state: 'state-of-this-app', code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
  });
  const back = new URL(await house.scan(to.href, 'ada'));
  const wrong = { pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: 'state-of-this-app' };
  await assert.rejects(oidc.authorizationCodeGrant(config, back, wrong), { error: 'invalid_grant' });
});

test('a revoked refresh token is over, and a client switched to another secret is refused', async () => {
  const config = await client('app-revoke', [], {});
  const { tokens } = await signIn(config, 'ada');
  await oidc.tokenRevocation(config, tokens.refresh_token);
  await assert.rejects(oidc.refreshTokenGrant(config, tokens.refresh_token), { error: 'invalid_grant' });
  await client('app-revoke', ['--replace'], {});
  await assert.rejects(oidc.refreshTokenGrant(config, tokens.refresh_token), { error: 'invalid_client' });
});
