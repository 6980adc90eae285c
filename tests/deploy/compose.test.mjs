/** `deploy/compose`: two nodes, PostgreSQL, Redis and nginx, as far as that goes without an engine that starts them. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { scanInBrowser } from '../clients/support.mjs';
import { DESKTOP, Jar } from '../support/jar.mjs';
import { freePort, startSandbox, startServer, temporaryFolder } from '../support/processes.mjs';
import { WeChat } from '../support/wechat.mjs';
import { REQUEST, RETURN } from './proxy.mjs';
import { ask, certificate, checksConfiguration, lacking, linter, path, read, replaced, runs, startNginx, startNode, startProxy, NAME } from './support.mjs';

const skip = lacking(linter('python'));
let folder;
let compose;
before(async () => {
  folder = await temporaryFolder();
  if (skip) return;
  const program = 'import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)';
  compose = JSON.parse((await runs(linter('python'), ['-c', program, path('compose/compose.yml')])).stdout);
});
after(() => rm(folder, { recursive: true, force: true }));

test('compose: the file is what the Compose specification describes', { skip }, async () => {
  await runs(linter('check-jsonschema'), ['--builtin-schema', 'vendor.compose-spec', path('compose/compose.yml')]);
});

test('compose: only nginx is reached from outside; databases have no way out, no log fills the disk, and no image is `latest`', { skip }, () => {
  for (const [name, service] of Object.entries(compose.services)) {
    assert.equal(Boolean(service.ports), name === 'nginx', name);
    assert.match(service.image, /^[a-z]+:(\d|\$\{MASHANG_VERSION:\?)/, name);
    assert.ok(service.security_opt.includes('no-new-privileges:true'), name);
    assert.ok(service.healthcheck || service.image.startsWith('mashang:'), `${name} says how it is`);
    assert.ok(service.logging.options['max-size'] && service.logging.options['max-file'], `the log of ${name} fills no disk`);
  }
  assert.deepEqual(compose.networks.back, { internal: true });
  assert.deepEqual([compose.services.postgres.networks, compose.services.redis.networks], [['back'], ['back']]);
});

test('compose: a node has no root, no capability and nothing to write to', { skip }, () => {
  for (const name of ['mashang-1', 'mashang-2']) {
    const { user, read_only: isReadOnly, cap_drop: dropped, volumes } = compose.services[name];
    assert.deepEqual({ user, isReadOnly, dropped, volumes }, { user: '65532:65532', isReadOnly: true, dropped: ['ALL'], volumes: undefined });
  }
});

test('compose: the nodes differ in their address and their turn, and in nothing else', { skip }, () => {
  const alike = ({ networks, depends_on: after, ...rest }) => rest;
  assert.deepEqual(alike(compose.services['mashang-1']), alike(compose.services['mashang-2']));
});

test('compose: every address that nginx and the nodes know is the one that the file gives', { skip }, () => {
  const address = (name) => compose.services[name].networks.front.ipv4_address;
  const nodes = [...read('compose/nginx.conf').matchAll(/^ +server (10\.[\d.]+):8080 /gm)].map(([, ip]) => ip);
  assert.deepEqual(nodes, [address('mashang-1'), address('mashang-2')]);
  assert.deepEqual(/^trusted_proxies = (.*)$/m.exec(read('compose/mashang.toml.example'))[1], JSON.stringify([address('nginx')]));
});

test('compose: every file it names is in the repository, made by prepare.sh, copied from an example, or asked for by prepare.sh', { skip }, async () => {
  const secrets = join(folder, 'files');
  const { stdout } = await runs('sh', [path('compose/prepare.sh'), secrets]);
  for (const { file } of [...Object.values(compose.configs), ...Object.values(compose.secrets)]) {
    const [, secret] = /^\.\/secrets\/(.*)$/.exec(file) ?? [];
    const isThere = secret
      ? existsSync(join(secrets, secret)) || stdout.includes(`missing: ${join(secrets, secret)}\n`)
      : existsSync(path(`compose/${file}`)) || existsSync(path(`compose/${file}.example`));
    assert.ok(isThere, file);
  }
});

test('compose: prepare.sh makes each secret once, for nobody else\'s eyes', async () => {
  const secrets = join(folder, 'once');
  const all = async () => Object.fromEntries(await Promise.all(
    (await readdir(secrets)).map(async (name) => [name, (await readFile(join(secrets, name))).toString('hex')])));
  await runs('sh', [path('compose/prepare.sh'), secrets]);
  const first = await all();
  assert.equal(first.master_key.length, 64);
  assert.deepEqual(Object.keys(first).sort(), ['master_key', 'postgres_password', 'redis_acl', 'store_url', 'tickets_url']);
  await runs('sh', [path('compose/prepare.sh'), secrets]);
  assert.deepEqual(await all(), first);
  assert.equal((await stat(secrets)).mode & 0o777, 0o700);
  const another = join(folder, 'another');
  await runs('sh', [path('compose/prepare.sh'), another]);
  for (const name of Object.keys(first)) assert.notEqual((await readFile(join(another, name))).toString('hex'), first[name], name);
});

test('compose: the configuration is valid', async () => {
  await checksConfiguration(read('compose/mashang.toml.example'), {
    secrets: '/run/secrets/', names: ['store_url', 'master_key', 'tickets_url', 'wechat'],
  });
});

test('compose: Redis takes its settings, lets in who has the password, and nobody else', { skip: skip || lacking('redis-server', 'redis-cli') }, async () => {
  const secrets = join(folder, 'redis');
  await runs('sh', [path('compose/prepare.sh'), secrets]);
  const [program, ...args] = compose.services.redis.command.map((arg) => arg.replace('/run/secrets/', `${secrets}/`));
  const port = await freePort();
  const redis = await startProxy(program, [...args, '--bind', '127.0.0.1', '--port', String(port), '--dir', folder], port);
  try {
    const [, password] = /:(\w+)@/.exec(await readFile(join(secrets, 'tickets_url'), 'utf8'));
    const cli = async (...words) => (await runs('redis-cli', ['-p', String(port), ...words])).stdout.trim();
    const asUs = (...words) => cli('--no-auth-warning', '--user', 'mashang', '--pass', password, ...words);
    // As the health check asks.
    assert.match(await cli('ping'), /^(PONG|NOAUTH .*)$/);
    assert.match(await cli('set', 'a', '1'), /^NOAUTH/);
    assert.equal(await asUs('set', 'a', '1'), 'OK');
    assert.equal(await asUs('eval', "return redis.call('get', 'a')", '0'), '1');
    assert.match(await asUs('flushall'), /^NOPERM/);
    assert.match(await asUs('info', 'memory'), /maxmemory:536870912\r?\n[^]*maxmemory_policy:noeviction/);
    await signsIn(`redis://mashang:${password}@127.0.0.1:${port}/0`);
  } finally {
    await redis.stop();
  }
});

/** A login whose tickets are in that Redis: everything that Mashang asks of it is allowed. */
async function signsIn(tickets) {
  const sandbox = await startSandbox();
  let server;
  try {
    server = await startServer({ sandbox, settings: `[tickets]\nurl = "${tickets}"\n` });
    await server.addClient('shop', ['--name', 'Shop', '--redirect-uri', RETURN]);
    const authorize = `${server.url}/authorize?${new URLSearchParams(REQUEST)}`;
    const redirect = await scanInBrowser(new WeChat(sandbox.url), new Jar({ 'user-agent': DESKTOP }), authorize, 'xiaoming');
    assert.ok(redirect.startsWith(`${RETURN}?code=`));
  } finally {
    await server?.stop();
    await sandbox.stop();
  }
}

test('compose: nginx takes its file, and shares requests out among both nodes', { skip: lacking('nginx', 'openssl') }, async () => {
  const here = join(folder, 'nginx');
  await mkdir(here);
  const { pem, key } = await certificate(here);
  const [port, plain, own] = [await freePort(), await freePort(), await freePort()];
  await copyFile('/etc/nginx/mime.types', join(here, 'mime.types'));
  const nodes = [await startNode((_, response) => response.end('ok')), await startNode((_, response) => response.end('ok'))];
  const main = replaced(read('compose/nginx.conf'), [
    ['10.89.7.11:8080', `127.0.0.1:${nodes[0].port}`],
    ['10.89.7.12:8080', `127.0.0.1:${nodes[1].port}`],
    ['/run/secrets/tls_certificate', pem],
    ['/run/secrets/tls_key', key],
    ['pid /tmp/nginx.pid;', `pid ${here}/pid;`],
    ['user nginx;', process.getuid() === 0 ? 'user root;' : ''],
    // As many as a container may, and more than this machine may.
    ['worker_rlimit_nofile 262144;', ''],
    ['worker_connections 65536;', 'worker_connections 256;'],
    ['http {\n', 'http {\n@TEMPORARY@\n'],
    ['access_log /dev/stdout', `access_log ${here}/access.log`],
    ['listen 80 default_server;', `listen 127.0.0.1:${plain};`],
    // The image has 1.28; before 1.25.1 the same was said in another way.
    ['listen 443 ssl default_server;\n        http2 on;', `listen 127.0.0.1:${port} ssl http2;`],
    ['listen 127.0.0.1:8081;', `listen 127.0.0.1:${own};`],
  ]);
  let proxy;
  try {
    proxy = await startNginx(here, { main, port });
    for (let number = 0; number < 6; number += 1) {
      assert.equal((await ask(port, '/jwks', { headers: { host: NAME } })).status, 200);
    }
    assert.deepEqual(nodes.map((node) => node.seen.length), [3, 3]);
    const health = /"(http:\/\/127\.0\.0\.1:8081\/\w+)"/.exec(read('compose/compose.yml'))[1];
    assert.equal((await fetch(health.replace(':8081', `:${own}`))).status, 200);
    const redirect = await fetch(`http://127.0.0.1:${plain}/authorize?x=1`, { redirect: 'manual', headers: { host: NAME } });
    assert.equal(redirect.status, 308);
    assert.match(redirect.headers.get('location'), /^https:\/\/[^/]+\/authorize\?x=1$/);
  } finally {
    await proxy?.stop();
    for (const node of nodes) await node.stop();
  }
});
