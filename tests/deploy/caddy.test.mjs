/** `deploy/caddy`: the Caddyfile, in front of nodes. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { caddy } from './fronts.mjs';
import { standsInFront } from './proxy.mjs';
import { path, read, runs } from './support.mjs';

test('caddy: the Caddyfile is valid as it is, and formatted', { skip: caddy.skip }, async () => {
  await runs('caddy', ['validate', '--adapter', 'caddyfile', '--config', path('caddy/Caddyfile')]);
  const { stdout } = await runs('caddy', ['fmt', path('caddy/Caddyfile')]);
  assert.equal(read('caddy/Caddyfile'), stdout);
});

standsInFront('caddy', caddy);
