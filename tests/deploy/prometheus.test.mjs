/** `deploy/prometheus`: the rules are valid, and each changed one goes off when it should and keeps still when it should. */

import { dirname } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { lacking, path, runs } from './support.mjs';

const skip = lacking('promtool');

test('prometheus: the alerts are valid', { skip }, async () => {
  await runs('promtool', ['check', 'rules', '--lint-fatal', path('prometheus/alerts.yml')]);
});

test('prometheus: alerts go off for what they name, and for nothing that only looks like it', { skip }, async () => {
  await runs('promtool', ['test', 'rules', 'alerts.test.yml'], { cwd: dirname(fileURLToPath(import.meta.url)) });
});
