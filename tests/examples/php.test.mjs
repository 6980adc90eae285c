/** `examples/php`. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { freePort } from '../support/processes.mjs';
import { bearsAbsence, bearsTabs, holds, knowsItsIssuer, launch, runs } from './support.mjs';

const example = {
  name: 'php',
  start: 'php -S 127.0.0.1:${PORT:-3000} index.php',
  needs: { 'PHP 8.1 or newer (apt-get install php-cli)': runs('php', '-r', 'exit((int) (PHP_VERSION_ID < 80100 || !extension_loaded("openssl")));') },
};

const held = holds(example);
bearsAbsence(example, held);
bearsTabs(example, held);
knowsItsIssuer(example, held);

/** The site alone, without a php.ini, whose own settings show warnings to visitors. */
async function alone(t, issuer, options = '') {
  const start = `php -n ${options} -S 127.0.0.1:$PORT index.php`;
  const site = await launch({ ...example, start }, { ISSUER: issuer, CLIENT_SECRET: 'unused', PORT: String(await freePort()) });
  t.after(() => site.stop());
  return (path, headers = {}) => fetch(site.url + path, { headers, redirect: 'manual' });
}

test('examples/php: an answer of the login service that lacks something shows no warning', { skip: !held.stage }, async (t) => {
  const mashang = createServer((_, response) => response.end(JSON.stringify({ issuer })));
  await once(mashang.listen(0, '127.0.0.1'), 'listening');
  t.after(() => mashang.close());
  const issuer = `http://127.0.0.1:${mashang.address().port}`;
  const answer = await (await alone(t, issuer))('/login');
  assert.equal(answer.status, 502);
  assert.equal(await answer.text(), 'The login service does not answer as it should. Please try again later.\n');
});

test('examples/php: a session of an older copy, which kept one sign-in, is no trouble', { skip: !held.stage }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mashang-php-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const mashang = createServer((_, response) => response.end(JSON.stringify({ issuer, authorization_endpoint: `${issuer}/authorize` })));
  await once(mashang.listen(0, '127.0.0.1'), 'listening');
  t.after(() => mashang.close());
  const issuer = `http://127.0.0.1:${mashang.address().port}`;
  const ask = await alone(t, issuer, `-d session.save_path=${folder}`);
  const id = 'a'.repeat(32);
  await writeFile(join(folder, `sess_${id}`), 'begun|a:3:{s:5:"state";s:1:"s";s:5:"nonce";s:1:"n";s:8:"verifier";s:1:"v";}');
  const headers = { cookie: `PHPSESSID=${id}` };
  const back = await ask('/callback?state=s', headers);
  assert.equal(await back.text(), 'Not signed in: this browser did not begin this sign-in\n');
  assert.equal((await ask('/login', headers)).status, 303);
});
