/** What the sessions of the samples with a back end of ours promise. Each has its own copy of them, with its own cookie. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

const HOUR = 3600_000;

/**
 * @param {{Visit: Function, sweep: () => number}} sessions the sample's `server/sessions.mjs`
 * @param {string} name of its cookie
 */
export function sessionsHold({ Visit, sweep }, name) {
  /** A request with this cookie, and what its answer sets. */
  function visits(cookie) {
    const told = { cookie };
    const response = { setHeader: (_, value) => { told.cookie = value.split(';')[0]; told.set = value; } };
    return { visit: new Visit({ headers: { cookie } }, response), told };
  }

  test('whoever only asks leaves nothing behind, and a cookie that nobody gave is nobody', () => {
    const before = sweep();
    for (const cookie of [undefined, `${name}=made-up`]) {
      const { visit, told } = visits(cookie);
      assert.equal(visit.person, null);
      assert.equal(visit.takeScan('state'), undefined);
      assert.equal(told.set, undefined);
    }
    assert.equal(sweep(), before);
  });

  test('the cookie of a sign-in goes to the answer of that request, whatever else this browser asks meanwhile', () => {
    const begun = visits();
    begun.visit.keepScan('state', {});
    const signingIn = visits(begun.told.cookie);
    assert.ok(signingIn.visit.takeScan('state'));
    const other = visits(begun.told.cookie); // arrives while the code is being exchanged
    signingIn.visit.signIn({ sub: 'a' });
    assert.match(signingIn.told.set, new RegExp(`^${name}=[\\w-]{43}; `));
    assert.equal(other.told.set, undefined);
    assert.equal(visits(begun.told.cookie).visit.person, null, 'the id from before is worth nothing');
    assert.deepEqual(visits(signingIn.told.cookie).visit.person, { sub: 'a' });
  });

  test('a session ends by the clock, and is swept; signing out ends it at once', (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
    const { visit, told } = visits();
    visit.signIn({ sub: 'a' });
    t.mock.timers.tick(12 * HOUR - 1);
    assert.ok(visits(told.cookie).visit.person);
    t.mock.timers.tick(1);
    assert.equal(visits(told.cookie).visit.person, null);
    assert.equal(sweep(), 0, 'nothing is left of any test before');

    const other = visits();
    other.visit.signIn({ sub: 'b' });
    visits(other.told.cookie).visit.signOut();
    assert.equal(visits(other.told.cookie).visit.person, null);
  });

  test('whoever has not signed in keeps a scan for two hours, however long the first one is ago; a sign-in gets no longer by one', (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
    const { visit, told } = visits();
    visit.keepScan('first', {});
    t.mock.timers.tick(2 * HOUR - 1);
    visits(told.cookie).visit.keepScan('second', {});
    t.mock.timers.tick(2 * HOUR - 1);
    assert.ok(visits(told.cookie).visit.takeScan('second'));
    t.mock.timers.tick(1);
    assert.equal(visits(told.cookie).visit.takeScan('first'), undefined);

    const other = visits();
    other.visit.signIn({ sub: 'a' });
    t.mock.timers.tick(12 * HOUR - 1);
    visits(other.told.cookie).visit.keepScan('late', {});
    t.mock.timers.tick(1);
    assert.equal(visits(other.told.cookie).visit.person, null);
  });

  test('of many tabs the newest ten go on, each once, also after one of them has signed in', () => {
    const { visit, told } = visits();
    for (let tab = 0; tab < 12; tab += 1) visit.keepScan(`state ${tab}`, { tab });
    assert.equal(visits(told.cookie).visit.takeScan('state 1'), undefined);
    const first = visits(told.cookie);
    assert.deepEqual(first.visit.takeScan('state 2'), { tab: 2 });
    assert.equal(first.visit.takeScan('state 2'), undefined);
    first.visit.signIn({ sub: 'a' });
    assert.deepEqual(visits(first.told.cookie).visit.takeScan('state 11'), { tab: 11 });
  });
}
