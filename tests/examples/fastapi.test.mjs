/** `examples/fastapi`. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bearsAbsence, holds, knowsItsIssuer, runs } from './support.mjs';

const example = {
  name: 'fastapi',
  start: 'python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python main.py',
  needs: { 'python3 with venv (apt-get install python3-venv)': runs('python3', '-c', 'import venv, ensurepip') },
};

const held = holds(example);
bearsAbsence(example, held);
knowsItsIssuer(example, held);

test('examples/fastapi: whoever signs in again and signs out is signed in by no copy of the former cookie', { skip: !held.visitor }, async () => {
  const site = held.visitor();
  await site.signIn('xiaoming');
  const former = new Map(site.jar.cookies);
  assert.match(await site.signIn('xiaoming'), /小明/);
  await site.logOut();
  site.jar.cookies = former;
  assert.doesNotMatch(await site.home(), /小明/);
});
