/** `examples/apache`: mod_auth_openidc, and a site behind it that cannot be changed. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, readFileSync } from 'node:fs';
import { copyFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { attribute } from '../support/jar.mjs';
import { freePort, temporaryFolder } from '../support/processes.mjs';
import { until } from '../support/wait.mjs';
import { guards, holds, runs } from './support.mjs';

const MODULE = '/usr/lib/apache2/modules/mod_auth_openidc.so';
const FOLDER = fileURLToPath(new URL('../../examples/apache/', import.meta.url));

const example = {
  name: 'apache',
  start: 'python3 start.py',
  login: '/',
  logOut: async (site) => site.jar.get(new URL(attribute(await site.home(), /id="logout" href="([^"]+)"/), site.url).href),
  needs: {
    'Apache with mod_auth_openidc (apt-get install apache2 libapache2-mod-auth-openidc)': () => accessSync(MODULE),
    'python3 (apt-get install python3)': runs('python3', '--version'),
  },
};

const held = holds(example);
guards(example, held);

if (held.visitor) {
  test('examples/apache: where only some paths ask for a sign-in, the others cannot be told a forged one', { timeout: 60_000 }, async (t) => {
    const behind = createServer((request, response) => response.end(JSON.stringify(request.rawHeaders))).listen(0, '127.0.0.1');
    t.after(() => behind.close());
    await once(behind, 'listening');
    const url = await startWithOnePathClosed(t, `http://127.0.0.1:${behind.address().port}`, held.stage.house.server.url);
    const forged = Object.fromEntries(['User', 'Name'].flatMap((what) =>
      [['-', '-'], ['-', '_'], ['_', '-'], ['_', '_']].map(([first, second]) => [`X${first}Remote${second}${what}`, 'forged'])));

    const open = await fetch(`${url}/open/page`, { headers: { ...forged, 'X-Other': 'kept' } });
    assert.equal(open.status, 200);
    const heard = await open.text();
    assert.match(heard, /kept/);
    assert.doesNotMatch(heard, /forged/);
    assert.equal((await fetch(`${url}/private/page`, { headers: forged })).status, 401);
  });
}

/** The example as the manual changes it: a sign-in below `/private` alone. */
async function startWithOnePathClosed(t, upstream, issuer) {
  const folder = await temporaryFolder();
  await copyFile(`${FOLDER}start.py`, `${folder}/start.py`);
  const whole = readFileSync(`${FOLDER}apache.conf`, 'utf8');
  const some = whole.replace('<Location />', '<Location /private>').replaceAll('${UPSTREAM}/', '${UPSTREAM}/private');
  assert.notEqual(some, whole);
  await writeFile(`${folder}/apache.conf`, `${some}ProxyPass /open \${UPSTREAM}/open\n`);
  const port = await freePort();
  const child = spawn('python3', ['start.py'], {
    cwd: folder,
    stdio: 'ignore',
    env: { ...process.env, ISSUER: issuer, CLIENT_SECRET: 'unused', PORT: String(port), UPSTREAM: upstream },
  });
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${port}`;
  await until('apache answers', () => fetch(url).then(() => true, () => false));
  return url;
}
