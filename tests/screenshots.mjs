/**
 * Pictures of every page: light and dark, desktop and phone, Chinese and English, into `tests/output/`. With `--docs`,
 * the few that the documentation shows are also copied to `docs/images/`.
 */

import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import {
  OUTPUT, Stage, approve, deny, launch, number, otherNumber, outcome, scan, scanUrl, status,
} from './support/browser.mjs';
import { startDemo } from './support/processes.mjs';

const DOCS = fileURLToPath(new URL('../docs/images', import.meta.url));
const FOR_DOCS = {
  'login.png': 'zh-light-desktop-1-login-waiting.png',
  'login.en.png': 'en-light-desktop-1-login-waiting.png',
  'confirm.png': 'zh-light-phone-1-confirm.png',
  'confirm.en.png': 'en-light-phone-1-confirm.png',
};

const demo = await startDemo();
const browser = await launch();
await mkdir(OUTPUT, { recursive: true });
try {
  for (const language of ['zh', 'en']) {
    for (const colorScheme of ['light', 'dark']) await album(language, colorScheme);
  }
  if (process.argv.includes('--docs')) {
    await mkdir(DOCS, { recursive: true });
    for (const [to, from] of Object.entries(FOR_DOCS)) await copyFile(join(OUTPUT, from), join(DOCS, to));
  }
} finally {
  await browser.close();
  await demo.stop();
}

/** Every page in one language and one colour scheme. */
async function album(language, colorScheme) {
  const stage = new Stage(browser);
  const options = { locale: language === 'zh' ? 'zh-CN' : 'en-GB', colorScheme, reducedMotion: 'reduce' };
  const take = async (page, device, name) => {
    // Not `page.screenshot()`, which waits for a page to have loaded: WeChat's QR page waits by loading scripts.
    const lens = await page.context().newCDPSession(page);
    const { data } = await lens.send('Page.captureScreenshot', { format: 'png' });
    await lens.detach();
    await writeFile(join(OUTPUT, `${language}-${colorScheme}-${device}-${name}.png`), Buffer.from(data, 'base64'));
  };
  try {
    await onTheComputer(stage, options, take);
    await onThePhone(stage, options, take);
  } finally {
    await stage.close();
  }
}

async function begin(page) {
  await page.goto(`${demo.site}/login`);
  await status(page, 'waiting').waitFor();
}

async function onTheComputer(stage, options, take) {
  const computer = await stage.desktop(options);
  const phone = await stage.wechat(options);
  await computer.goto(demo.site);
  await take(computer, 'desktop', '0-sample-site');
  await begin(computer);
  await take(computer, 'desktop', '1-login-waiting');
  await scan(phone, await scanUrl(computer), 'xiaoming');
  await status(computer, 'scanned').waitFor();
  await take(computer, 'desktop', '2-login-scanned');
  await take(phone, 'phone', '1-confirm');
  await deny(phone);
  await outcome(phone, 'denied').waitFor();
  await take(phone, 'phone', '2-result-denied');
  await status(computer, 'denied').waitFor();
  await take(computer, 'desktop', '3-login-denied');

  await begin(computer);
  await again(phone, await scanUrl(computer));
  await approve(phone, otherNumber(await number(computer)));
  await status(computer, 'wrong_number').waitFor();
  await take(computer, 'desktop', '3-login-wrong-number');

  await begin(computer);
  await computer.evaluate(() => { document.querySelector('#login').dataset.status = 'expired'; });
  await take(computer, 'desktop', '4-login-expired');

  await computer.goto(`${demo.site}/login`);
  await computer.locator('nav.tabs a[href*="wechat-web"]').click();
  await computer.frameLocator('iframe[data-frame]').locator('.js_qrcode_img').waitFor();
  await take(computer, 'desktop', '1-login-frame');
  await computer.goto(`${demo.server}/authorize?client_id=unknown`);
  await take(computer, 'desktop', '6-error');

  await begin(computer);
  await again(phone, await scanUrl(computer));
  await approve(phone, await number(computer));
  await outcome(phone, 'approved').waitFor();
  await take(phone, 'phone', '3-result-approved');
  await computer.locator('#hello').waitFor();
  await take(computer, 'desktop', '5-signed-in');
  await computer.goto(`${demo.server}/logout`);
  await take(computer, 'desktop', '7-logout');
}

/** A scan on a phone whose person is known. */
async function again(phone, url) {
  await phone.goto(url);
  await phone.locator('button[name="answer"][value="allow"]').click();
  await phone.locator('form#approve').waitFor({ state: 'attached' });
}

async function onThePhone(stage, options, take) {
  const phone = await stage.phone(options);
  await begin(phone);
  await take(phone, 'phone', '4-login');
  const inWeChat = await stage.wechat(options);
  await begin(inWeChat);
  await take(inWeChat, 'phone', '4-login-in-wechat');
  await phone.goto(`${demo.sandbox}/phone`);
  await take(phone, 'phone', '5-sandbox-who');
  await phone.locator('button[name="person"][value="ada"]').click();
  await take(phone, 'phone', '6-sandbox-phone');
  await phone.goto(demo.site);
  await take(phone, 'phone', '0-sample-site');
}
