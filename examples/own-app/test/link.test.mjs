import assert from 'node:assert/strict';
import test from 'node:test';

import { scanCodeOf } from '../public/link.mjs';

const CODE = 'Zm9vYmFyYmF6cXV4-_0123456789ABCD';

test('only links of our own login server are acted on', () => {
  const mashang = 'https://login.example.com';
  assert.equal(scanCodeOf(` https://login.example.com/s/${CODE} `, mashang), CODE);
  assert.equal(scanCodeOf(`https://login.example.com/s/${CODE}?lang=en`, mashang), CODE);
  for (const link of [
    `https://evil.example/s/${CODE}`, `http://login.example.com/s/${CODE}`, `https://login.example.com.evil.example/s/${CODE}`,
    `https://login.example.com@evil.example/s/${CODE}`, `https://login.example.com/s/${CODE}/confirm`, `https://login.example.com/s/x`,
    CODE, '', 'javascript:alert(1)',
  ]) assert.equal(scanCodeOf(link, mashang), null, link);
});
