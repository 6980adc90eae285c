/** `deploy/caddy`: the Caddyfile, in front of nodes. */

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { freePort } from '../support/processes.mjs';
import { standsInFront } from './proxy.mjs';
import { NAME, lacking, path, read, replaced, runs, startProxy } from './support.mjs';

const skip = lacking('caddy');

test('caddy: the Caddyfile is valid as it is, and formatted', { skip }, async () => {
  await runs('caddy', ['validate', '--adapter', 'caddyfile', '--config', path('caddy/Caddyfile')]);
  const { stdout } = await runs('caddy', ['fmt', path('caddy/Caddyfile')]);
  assert.equal(read('caddy/Caddyfile'), stdout);
});

standsInFront('caddy', {
  skip,
  async start({ folder, nodes }) {
    await mkdir(folder, { recursive: true });
    const port = await freePort();
    const text = replaced(read('caddy/Caddyfile'), [
      // Certificates of its own making, in a folder of the test's.
      ['\n{\n', `\n{\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n\tauto_https disable_redirects\n\tstorage file_system ${folder}/storage\n`],
      [`\n${NAME} {\n`, `\nhttps://${NAME}:${port} {\n\tbind 127.0.0.1\n`],
      ['reverse_proxy 127.0.0.1:8080 {', `reverse_proxy ${nodes.map((one) => `127.0.0.1:${one}`).join(' ')} {`],
    ]);
    const file = join(folder, 'Caddyfile');
    await writeFile(file, text);
    const proxy = await startProxy('caddy', ['run', '--adapter', 'caddyfile', '--config', file], port, { HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder });
    proxy.written = () => proxy.said;
    return proxy;
  },
});
