/** The package as npm ships it: types that hold, and the files that belong to it. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { access, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
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
    const byHand = ['dom.d.ts', 'react.d.ts'];
    assert.deepEqual((await readdir(join(HERE, 'types'))).filter((name) => !byHand.includes(name)).sort(), made);
    for (const name of made) {
      assert.equal(await readFile(join(HERE, 'types', name), 'utf8'), await readFile(join(folder, name), 'utf8'), `npm run types: ${name}`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('every entry has its types, where `exports` are read and where they are not (moduleResolution node)', needsVue, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mashang-site-'));
  try {
    await mkdir(join(folder, 'node_modules'));
    await symlink(HERE, join(folder, 'node_modules/mashang'));
    // As much of React's types as an element needs.
    await mkdir(join(folder, 'node_modules/@types/react'), { recursive: true });
    await writeFile(join(folder, 'node_modules/@types/react/index.d.ts'), [
      'export interface HTMLAttributes<T> { id?: string; children?: unknown; onClick?: (event: T) => void }',
      'export type DetailedHTMLProps<E, T> = E & { ref?: (node: T | null) => void };',
      'export namespace JSX { interface IntrinsicElements { p: {} } }',
    ].join('\n'));
    await writeFile(join(folder, 'node_modules/@types/react/jsx-runtime.d.ts'), "export { JSX } from './index';\nexport const jsx: any;\n");
    await writeFile(join(folder, 'page.tsx'), [
      "import 'mashang/react';",
      'export const page = <scan-login issuer="" client-id="" paused={false} ref={(node) => node?.refresh()} onsuccess={({ detail }) => detail.code} />;',
      '// @ts-expect-error: an issuer is missing',
      'export const wrong = <scan-login client-id="" />;',
    ].join('\n'));
    await writeFile(join(folder, 'site.ts'), [
      "import { isFailure, scanLogin, type Channel, type LoginOptions, type LoginStatus, type Reason, type View } from 'mashang';",
      "import { ScanLoginElement } from 'mashang/element';",
      "import { h, createApp } from 'vue';",
      "import { ScanLogin, useScanLogin } from 'mashang/vue';",
      "import { isH5, login } from 'mashang/uni';",
      'export const code: Promise<string> = scanLogin({ issuer: "", clientId: "" }).then((result) => result.code);',
      'export const panel: string | undefined = new ScanLoginElement().panel?.card.lang;',
      'export const own: string = useScanLogin({ issuer: "", clientId: "" }).number.value;',
      'export const browser: boolean = isH5();',
      'export const uniCode: Promise<string> = login({}).then(({ code }) => code);',
      'export const reasonOf = (error: unknown): Reason | null => (isFailure(error) ? error.reason : null);',
      'export type All = [Channel, LoginOptions, LoginStatus, View];',
      'const element = document.querySelector("scan-login")!;',
      'element.addEventListener("success", ({ detail }) => detail.code.length);',
      'element.addEventListener("denied", ({ detail }) => detail.reason);',
      'element.addEventListener("click", ({ clientX }) => clientX);',
      'element.paused = true;',
      '// @ts-expect-error: no such thing in a result',
      'element.addEventListener("success", ({ detail }) => detail.token);',
      'h(ScanLogin, { issuer: "", clientId: "", onSuccess: ({ code }) => code.length, onDenied: ({ reason }) => reason, class: "wide" }, { scanned: () => "phone" });',
      'createApp({ components: { ScanLogin } }).component("ScanLogin", ScanLogin);',
      '// @ts-expect-error: an issuer is missing',
      'h(ScanLogin, { clientId: "" });',
      '// @ts-expect-error: no boolean',
      'h(ScanLogin, { issuer: "", clientId: "", paused: "no" });',
      '// @ts-expect-error: no such thing in a result',
      'h(ScanLogin, { issuer: "", clientId: "", onSuccess: ({ token }) => token });',
    ].join('\n'));
    for (const moduleResolution of ['Bundler', 'Node10']) {
      const compilerOptions = {
        target: 'ES2020', lib: ['ES2020', 'DOM'], module: 'ESNext', moduleResolution, strict: true, noEmit: true, types: [], skipLibCheck: false, jsx: 'react-jsx', preserveSymlinks: true,
        paths: { vue: [join(HERE, '../../tests/node_modules/vue')] },
      };
      await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['site.ts', 'page.tsx'] }));
      const { status, stdout } = spawnSync(process.execPath, [TSC, '-p', folder], { encoding: 'utf8' });
      assert.equal(status, 0, `${moduleResolution}: ${stdout}`);
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
