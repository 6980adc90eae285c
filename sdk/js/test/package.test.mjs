/** The package as npm ships it: types that hold, and the files that belong to it. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { access, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('..', import.meta.url));
const TSC = join(HERE, 'node_modules/typescript/bin/tsc');
const manifest = JSON.parse(await readFile(join(HERE, 'package.json'), 'utf8'));

/** Its peer, for which the journeys' packages stand in. */
const hasVue = await access(join(HERE, '../../tests/node_modules/vue')).then(() => true, () => false);
const needsVue = { skip: hasVue ? false : 'vue is not there: run `npm ci` in tests/ first' };

test('the types hold, and the committed declarations are those of the source', needsVue, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mashang-types-'));
  try {
    execFileSync(process.execPath, [TSC, '-p', 'tsconfig.types.json', '--outDir', folder], { cwd: HERE, stdio: 'pipe' });
    const made = (await readdir(folder)).sort();
    assert.deepEqual((await readdir(join(HERE, 'types'))).sort(), made);
    for (const name of made) {
      assert.equal(await readFile(join(HERE, 'types', name), 'utf8'), await readFile(join(folder, name), 'utf8'), `npm run types: ${name}`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('npm pack takes sources, types, readme and licences, and nothing else', () => {
  const [{ files }] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: HERE, stdio: ['ignore', 'pipe', 'ignore'] }));
  const paths = files.map(({ path }) => path);
  for (const wanted of ['LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'package.json', 'src/mashang.js', 'types/mashang.d.ts']) {
    assert.ok(paths.includes(wanted), wanted);
  }
  assert.deepEqual(paths.filter((path) => !/^(src|types)\/[\w.]+$|^[A-Z]+(-\w+)?(\.md)?$|^package\.json$/.test(path)), []);
});

test('every entry is there, and nothing is depended on', async () => {
  for (const entry of Object.values(manifest.exports)) {
    for (const file of typeof entry === 'string' ? [entry] : Object.values(entry)) await access(join(HERE, file));
  }
  assert.equal(manifest.dependencies, undefined);
  assert.deepEqual(Object.keys(manifest.devDependencies), ['typescript']);
});
