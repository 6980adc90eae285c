/** `examples/go`. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { bearsTabs, holds, knowsItsIssuer, runs } from './support.mjs';

const example = { name: 'go', start: 'go run .', needs: { 'Go (https://go.dev/dl)': runs('go', 'version') } };
const held = holds(example);
bearsTabs(example, held);
knowsItsIssuer(example, held);

test('examples/go: a sign-in under way outlasts the page that draws its QRs', { skip: !held.stage }, async () => {
  const settings = await readFile(new URL('../../crates/server/src/config/default.toml', import.meta.url), 'utf8');
  const setting = (name) => Number(new RegExp(`^${name} = (\\d+)$`, 'm').exec(settings)[1]);
  const { headers } = await fetch(`${held.stage.site.url}/login`, { redirect: 'manual' });
  const age = Number(/begun_[^;]+;.*Max-Age=(\d+)/.exec(headers.getSetCookie().join('\n'))[1]);
  assert.ok(age >= 60 * setting('request_minutes') + setting('scan_seconds') + setting('confirm_seconds') + setting('redeem_seconds'), `${age}`);
});
