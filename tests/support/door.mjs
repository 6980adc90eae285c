/** What an installation says at its doors: to somebody who wants in, and to whoever watches over it. */

import assert from 'node:assert/strict';

import { startComputer } from './computer.mjs';
import { DESKTOP, Jar, location } from './jar.mjs';
import { until } from './wait.mjs';

/** Longer than any bound on an engine, shorter than anybody's patience. */
const BOUND_MS = 15_000;

/** What the front door says to somebody who wants in: a status, within the bound. */
export async function frontDoor(house) {
  const begun = performance.now();
  const jar = new Jar({ 'user-agent': DESKTOP });
  let answer = await jar.get(`${house.site.url}/login`);
  answer = await jar.get(await location(answer));
  const took = performance.now() - begun;
  assert.ok(took < BOUND_MS, `answered after ${took} ms`);
  return { status: answer.status, html: await answer.text(), took };
}

/** A node's own word: `[readiness, liveness]`. */
export function health(node) {
  return Promise.all(['readyz', 'healthz'].map(async (path) => (await fetch(`http://127.0.0.1:${node.port}/${path}`)).status));
}

export async function wholeLogin(house, person) {
  const computer = await startComputer(house);
  const phone = house.wechat.phone(person);
  await phone.scan(computer.scanUrl);
  assert.equal(await phone.approve(computer.number), 'approved');
  return computer.finish();
}

/** Waits until somebody is led to a login page again; nobody restarts anything. */
export const opensAgain = (house) => until('a login begins again, without a restart', async () => {
  try {
    return (await frontDoor(house)).status === 303;
  } catch {
    return false;
  }
}, 30_000);
