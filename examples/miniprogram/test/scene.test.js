const test = require('node:test');
const assert = require('node:assert/strict');

const { scanCodeOf, cameWithoutCamera } = require('../lib/scene');

const CODE = 'Zm9vYmFyYmF6cXV4-_0123456789ABCD';

test('a mini-program code brings the scan code, percent-encoded once', () => {
  assert.equal(scanCodeOf({ scene: CODE }), CODE);
  assert.equal(scanCodeOf({ scene: CODE.replace('-', '%2D') }), CODE);
  assert.equal(scanCodeOf({ scene: CODE.replace('-', '%252D') }), null, 'decoded once, not twice');
});

test('an ordinary link brings the whole address', () => {
  const link = (text) => ({ q: encodeURIComponent(text), scancode_time: '1800000000' });
  assert.equal(scanCodeOf(link(`https://login.example.com/s/${CODE}`)), CODE);
  assert.equal(scanCodeOf(link(`https://login.example.com/s/${CODE}?lang=en#x`)), CODE);
  assert.equal(scanCodeOf(link(`https://login.example.com/x/${CODE}`)), null);
  assert.equal(scanCodeOf(link(`https://login.example.com/?/s/${CODE}`)), null);
});

test('anything else is no scan code and never throws', () => {
  for (const query of [undefined, null, {}, { scene: '' }, { scene: '%' }, { scene: 'a=1' }, { q: '%E0%A4%A' }, { q: 'x' },
    { scene: `${CODE}x` }, { scene: '../../../../../../../../../../..' + '%2F' }]) {
    assert.equal(scanCodeOf(query), null, JSON.stringify(query));
  }
});

test('whatever was not scanned by the camera is told from what was', () => {
  // Pictures, cards and messages in chats, template messages, links, other mini-programs, none at all, and what is not known yet.
  for (const scene of [1007, 1008, 1012, 1013, 1014, 1036, 1037, 1043, 1044, 1048, 1049, 1065, 1096, 1107, 1154, 9999, undefined]) {
    assert.ok(cameWithoutCamera(scene), String(scene));
  }
  for (const scene of [1001, 1011, 1047, '1047']) assert.ok(!cameWithoutCamera(scene), String(scene));
});
