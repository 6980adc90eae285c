/**
 * Every way to sign in, without a screen. Each takes a computer that waits at the login page and the person who holds the
 * phone, says yes, and returns what the website was told.
 */

import assert from 'node:assert/strict';

import { startComputer } from './computer.mjs';
import { attribute, location } from './jar.mjs';

/** Signs `person` in at the house's website, or at another; returns the claims. */
export async function signInBy(house, way, person, query = '') {
  const computer = await startComputer(house, `?login_hint=${way}${query}`);
  return ways[way](house, computer, person);
}

export const ways = {
  /** Our link, opened in WeChat. */
  async wechat(house, computer, person) {
    const phone = house.wechat.phone(person);
    await phone.scan(computer.scanUrl);
    assert.equal(await phone.approve(computer.number), 'approved');
    return computer.finish();
  },

  /** The official account's own QR. */
  async 'wechat-scan'(house, computer, person) {
    const { messages } = await house.wechat.call('/scan', { url: computer.scanUrl, person });
    const phone = house.wechat.phone(person);
    await phone.arrive(messages.at(-1).links[0]);
    assert.equal(await phone.approve(computer.number), 'approved');
    return computer.finish();
  },

  /** The Open Platform's page. */
  async 'wechat-web'(house, computer, person) {
    const page = await computer.start('wechat-web');
    const uuid = attribute(await (await fetch(page)).text(), /\/connect\/qrcode\/([\w=-]+)/);
    return onPage(house, computer, { uuid, person });
  },

  /** WeCom's page. */
  async wecom(house, computer, person) {
    const page = await computer.start('wecom');
    const uuid = attribute(await (await fetch(page)).text(), /data-key="([^"]+)"/);
    return onPage(house, computer, { uuid, person });
  },

  /** The mini-program. */
  async 'wechat-mini'(house, computer, person) {
    const { code } = await house.wechat.call('/mini/login', { appid: house.sandbox.mini.appid, person });
    await answerByApi(house, 'wechat-mini', computer, { body: { code } });
    return computer.finish();
  },
};

/** An app of the operator's: `token` is what its back end gave its person. */
export async function signInByApp(house, channel, token, query = '') {
  const computer = await startComputer(house, `?login_hint=${channel}${query}`);
  await answerByApi(house, channel, computer, { headers: { authorization: `Bearer ${token}` } });
  return computer.finish();
}

/** Yes on a platform's own page, which then sends the browser back. */
async function onPage(house, computer, tap) {
  await house.wechat.call('/scan', tap);
  const { redirect } = await house.wechat.call('/allow', tap);
  return computer.arrive(await location(await computer.jar.get(redirect)));
}

async function answerByApi(house, channel, computer, { body = {}, headers = {} }) {
  const post = async (step, json) => {
    const told = await fetch(`${house.server.url}/api/phone/${channel}/${computer.scanCode}/${step}`, {
      method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(json),
    });
    return told.json();
  };
  const { phone_token, error } = await post('scan', body);
  assert.equal(error, undefined);
  const { status } = await post('approve', { phone_token, number: computer.number });
  assert.equal(status, 'approved');
}
