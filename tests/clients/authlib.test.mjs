/** Authlib from PyPI, unmodified. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';

import { python } from './python.mjs';
import { startClientHouse } from './support.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const CALLBACK = 'https://app.example/callback';

let house;
before(async () => { house = await startClientHouse(); });
after(() => house?.stop());

/** Runs the website while `person` scans what it asks for; returns what it learned. */
async function signIn(id, secret, authentication, person) {
  const args = [here('authlib_client.py'), house.server.url, id, secret, authentication];
  const website = spawn(python(), args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaint = '';
  website.stderr.on('data', (text) => { complaint += text; });
  const ended = once(website, 'exit');
  const lines = createInterface({ input: website.stdout })[Symbol.asyncIterator]();
  const authorize = (await lines.next()).value;
  if (!authorize) throw new Error(`the website did not start: ${complaint}`);
  website.stdin.end(`${await house.scan(authorize, person)}\n`);
  const learned = (await lines.next()).value;
  await ended;
  if (!learned) throw new Error(`the website learned nothing: ${complaint}`);
  return JSON.parse(learned);
}

for (const [authentication, alg] of [['client_secret_basic', 'RS256'], ['client_secret_post', 'ES256']]) {
  test(`${authentication}, ${alg}: code flow with PKCE and nonce, verified ID token, userinfo, refresh`, { timeout: 180_000 }, async () => {
    const id = `authlib-${alg}`;
    const secret = await house.server.addClient(id, ['--name', id, '--redirect-uri', CALLBACK, '--refresh-tokens', '--id-token-alg', alg]);
    const learned = await signIn(id, secret, authentication, 'xiaohong');
    const { openids } = await house.wechat.person('xiaohong');
    assert.equal(learned.id_token.iss, house.server.url);
    assert.equal(learned.id_token.aud, id);
    assert.equal(learned.userinfo.sub, learned.id_token.sub);
    assert.equal(learned.userinfo.name, '小红');
    assert.ok(Object.values(openids).includes(learned.userinfo.wechat_openid));
    assert.equal(learned.rotated, true);
    assert.equal(learned.after_refresh, learned.id_token.sub);
  });
}

test('a wrong client secret is refused, and the website says so', { timeout: 180_000 }, async () => {
  await house.server.addClient('authlib-wrong', ['--name', 'wrong', '--redirect-uri', CALLBACK]);
  await assert.rejects(signIn('authlib-wrong', 'not-the-secret', 'client_secret_basic', 'ada'), /invalid_client/);
});
