import assert from 'node:assert/strict';
import test from 'node:test';

import { asksFor } from '../public/purpose.mjs';

test('signing in and being added to an account are asked in different words', () => {
  const [signIn, link] = [asksFor('sign_in'), asksFor('link')];
  for (const part of ['title', 'approve', 'warning', 'approved']) assert.ok(signIn[part] && link[part] && signIn[part] !== link[part], part);
});

test('what this app does not know is refused, whatever it is called', () => {
  for (const purpose of ['pay', '', undefined, null, 'toString', '__proto__']) assert.throws(() => asksFor(purpose), /update/);
});
