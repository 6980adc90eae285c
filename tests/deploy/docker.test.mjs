/** `deploy/docker`: what can be said of the image without an engine that builds it. */

import assert from 'node:assert/strict';
import { cp, readFile, readdir, rm } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { binary, run, startSandbox, startServer, temporaryFolder } from '../support/processes.mjs';
import { lacking, linter, path, read, runs } from './support.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const DOCKERFILE = read('docker/Dockerfile');
const unless = Object.fromEntries([...DOCKERFILE.matchAll(/^ARG (\w+)=(\S+)$/gm)].map(([, name, value]) => [name, value]));
/** What each stage is built on, unless `--build-arg` says otherwise. */
const stages = [...DOCKERFILE.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image.replace(/^\$\{(\w+)\}$/, (_, name) => unless[name]));
const last = DOCKERFILE.slice(DOCKERFILE.lastIndexOf('\nFROM '));
let folder;
before(async () => { folder = await temporaryFolder(); });
after(() => rm(folder, { recursive: true, force: true }));

test('image: hadolint has nothing to say', { skip: lacking(linter('hadolint')) }, async () => {
  await runs(linter('hadolint'), ['--failure-threshold', 'style', path('docker/Dockerfile')]);
});

test('image: built by the toolchain of this repository, on the Debian it runs on, and no tag is `latest`', async () => {
  const [, toolchain] = /^channel = "([^"]+)"$/m.exec(await readFile(join(ROOT, 'rust-toolchain.toml'), 'utf8'));
  assert.deepEqual(stages, [`rust:${toolchain}-bookworm`, 'gcr.io/distroless/cc-debian12:nonroot']);
});

test('image: runs as nobody in particular, by number; one program and its volume', () => {
  assert.match(last, /^USER 65532:65532$/m);
  assert.match(last, /^VOLUME \["\/data"\]$/m);
  assert.match(last, /^ENTRYPOINT \["\/usr\/local\/bin\/mashang"\]\nCMD \["serve"\]$/m);
  assert.doesNotMatch(last, /^(RUN|ADD)\b/m, 'there is no shell, and nothing is fetched');
});

test('image: what the build is given is what the build reads', async () => {
  const given = join(folder, 'context');
  const allowed = read('docker/Dockerfile.dockerignore').split('\n').filter((line) => line.startsWith('!')).map((line) => line.slice(1));
  const left = (source) => !/\/(target|node_modules)$/.test(source);
  for (const each of allowed) await cp(join(ROOT, each), join(given, each), { recursive: true, filter: left });
  await runs('cargo', ['metadata', '--format-version', '1', '--locked', '--offline', '--filter-platform', 'x86_64-unknown-linux-gnu'],
    { cwd: given, maxBuffer: 1 << 26, env: { ...process.env, RUSTUP_TOOLCHAIN: process.env.RUSTUP_TOOLCHAIN ?? '' } });
  for (const [file, wanted] of await embedded(join(given, 'crates'))) {
    await readdir(dirname(wanted)).catch(() => assert.fail(`${relative(given, file)} embeds ${relative(given, wanted)}, which the build is not given`));
  }
  for (const [, copied] of DOCKERFILE.matchAll(/^COPY (deploy\S+)/gm)) await readFile(join(given, copied));
});

/** Every file or folder that a crate's source takes in when it is built, with the file that says so. */
async function embedded(crates) {
  const found = [];
  for (const entry of await readdir(crates, { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith('.rs')) continue;
    const file = join(entry.parentPath ?? entry.path, entry.name);
    const text = await readFile(file, 'utf8');
    const crate = join(crates, relative(crates, file).split('/')[0]);
    for (const [, wanted] of text.matchAll(/#\[folder = "([^"]+)"\]/g)) found.push([file, resolve(crate, wanted, 'x')]);
    for (const [, wanted] of text.matchAll(/include_(?:str|bytes)!\("([^"]+)"\)/g)) found.push([file, resolve(dirname(file), wanted)]);
  }
  assert.ok(found.length > 10, `${found.length} found`);
  return found;
}

test('image: its own configuration is valid', async () => {
  assert.match(await run(['config', 'check', '--config', path('docker/mashang.toml')]), /is valid/);
});

test('image: a first start has as long to bring large tables up to date as on Kubernetes', () => {
  const [, seconds] = /--start-period=(\d+)s/.exec(DOCKERFILE);
  const [, period, times] = /startupProbe:[^]*?periodSeconds: (\d+)\s+failureThreshold: (\d+)/.exec(read('kubernetes/deployment.yaml'));
  assert.equal(Number(seconds), period * times);
});

test('image: its health check tells a server that is ready from one that is not there', async () => {
  const [, command] = /^ +CMD (\[.*\])$/m.exec(DOCKERFILE);
  const [program, ...args] = JSON.parse(command);
  assert.equal(program, '/usr/local/bin/mashang');
  const sandbox = await startSandbox();
  const server = await startServer({ sandbox });
  const check = (...more) => runs(binary(), [...args, ...more], { env: { ...process.env, MASHANG_CONFIG: server.config } });
  try {
    assert.equal((await check()).stdout, 'ready\n');
    assert.equal((await check('--live')).stdout, 'ok\n');
    await server.kill();
    await assert.rejects(check(), /\/readyz does not answer/);
  } finally {
    await server.stop();
    await sandbox.stop();
  }
});
