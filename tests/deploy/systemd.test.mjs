/** `deploy/systemd`: the unit, its user, its configuration. */

import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { binary, temporaryFolder } from '../support/processes.mjs';
import { checksConfiguration, lacking, path, read, replaced, runs } from './support.mjs';

const skip = lacking('systemd-analyze', 'systemd-sysusers');
let folder;
let unit;
before(async () => {
  folder = await temporaryFolder();
  unit = join(folder, 'mashang.service');
  await writeFile(unit, replaced(read('systemd/mashang.service'), [['ExecStart=/usr/local/bin/mashang ', `ExecStart=${binary()} `]]));
});
after(() => rm(folder, { recursive: true, force: true }));

test('systemd: the unit has no unknown key and no wrong value', { skip }, async () => {
  const { stdout, stderr } = await runs('systemd-analyze', ['verify', '--man=no', unit]);
  // A key that systemd does not know is a warning, and no failure.
  assert.equal(stdout + stderr, '');
});

test('systemd: a database that is away for a while does not end it for ever', () => {
  const settings = read('systemd/mashang.service');
  assert.match(settings, /^StartLimitIntervalSec=0$/m);
  assert.match(settings, /^Restart=on-failure$/m);
  assert.ok(Number(/^RestartSec=(\d+)$/m.exec(settings)[1]) >= 5, 'nor does it fill the log');
});

test('systemd: an exposure of at most 1.5 of 10', { skip }, async () => {
  await runs('systemd-analyze', ['security', '--offline=yes', '--threshold=15', unit]);
});

test('systemd: the user is made, without a shell', { skip }, async () => {
  const root = join(folder, 'root');
  await mkdir(join(root, 'etc'), { recursive: true });
  await runs('systemd-sysusers', [`--root=${root}`, path('systemd/mashang.sysusers')]);
  assert.match(await readFile(join(root, 'etc', 'passwd'), 'utf8'), /^mashang:x:\d+:\d+:[^:]*:\/var\/lib\/mashang:\/usr\/sbin\/nologin$/m);
});

test('systemd: the configuration is valid for one node, and with its comments opened for several', async () => {
  const secrets = '/run/credentials/mashang.service/';
  const one = read('systemd/mashang.toml.example');
  await checksConfiguration(one, { secrets, names: ['secret_wechat'] });
  const [head, several] = one.split(/^\[store\][^#]*/m);
  const opened = head + several.replaceAll(/^# (?=\[|\w+ = )/gm, '');
  assert.match(opened, /^url_file/m);
  await checksConfiguration(opened, { secrets, names: ['secret_wechat', 'secret_store_url', 'secret_master_key', 'secret_tickets_url'] });
});
