/**
 * Every page a person can meet, one after the other, for whoever wants to look at each: the photographer of
 * `screenshots.mjs` and the examiner of `journeys/accessibility.test.mjs`.
 */

import {
  Stage, approve, deny, number, otherNumber, outcome, scan, scanUrl, status,
} from './browser.mjs';
import { follow, lastBubble, openChatLink, scanIntoChat } from './chat.mjs';
import { linkAndPage, officialLink, ownApp, wecom } from './channels.mjs';
import { LEGAL, SMS } from './legal.mjs';
import { startHouse } from './house.mjs';
import { openMini, question } from './mini.mjs';
import { startDemo, startSandbox, startServer } from './processes.mjs';
import { startSite } from './site.mjs';
import { WeChat } from './wechat.mjs';
import { scanInWecom } from './wecom.mjs';

/**
 * Called for each page: the page as it stands, the device it is on, and a name that is the same in every album. Where scripts
 * are off, nothing can be evaluated in the page.
 *
 * @typedef {(page: import('playwright-core').Page, device: 'desktop'|'phone', name: string,
 *   about?: {scripts?: boolean}) => Promise<void>} Look
 */

let demo;
let wechat;
let elsewhere;
let asking;
let filed;

/** Starts what the albums are made of; returns how to stop it. */
export async function openStudio() {
  demo = await startDemo();
  wechat = new WeChat(demo.sandbox);
  // The page that says which app to use is only there where no sandbox offers its phone instead.
  elsewhere = await startElsewhere();
  asking = await startHouse({
    host: 'localhost', channels: (box) => `${officialLink(box)}[channel.passkey]\nkind = "passkey"\norder = 9\n`,
  });
  asking.shop = await startSite(asking.server, 'shop', ['--consent', '--brand-color', '#7c3aed']);
  filed = await startHouse({ settings: LEGAL, channels: (box) => linkAndPage(box) + SMS });
  return async () => {
    await filed.stop();
    await asking.shop.stop();
    await asking.stop();
    await elsewhere.stop();
    await demo.stop();
  };
}

/** A server that would speak to the real platforms, with a website. */
async function startElsewhere() {
  const sandbox = await startSandbox();
  const app = { link_template: 'myapp://login?code={scan_code}' };
  const channels = (box) => officialLink(box) + wecom(box, { qr: 'link' }) + ownApp('https://app.example', app);
  const server = await startServer({ sandbox, real: true, channels });
  const site = await startSite(server);
  return {
    site,
    async stop() {
      await site.stop();
      await server.stop();
      await sandbox.stop();
    },
  };
}

/**
 * Every page in one language and one colour scheme.
 *
 * @param {import('playwright-core').Browser} browser
 * @param {{language: 'zh'|'en', colorScheme: 'light'|'dark'}} how
 * @param {Look} take
 */
export async function album(browser, { language, colorScheme }, take) {
  const stage = new Stage(browser);
  const options = { locale: language === 'zh' ? 'zh-CN' : 'en-GB', colorScheme, reducedMotion: 'reduce' };
  try {
    await onTheComputer(stage, options, take);
    await onThePhone(stage, options, take);
    await underEachTab(stage, options, take);
    await byForms(stage, options, take);
    await beforeConsent(stage, options, take);
    await onOwnPage(stage, options, take);
    await underPolicies(stage, options, take);
  } finally {
    await stage.close();
  }
}

/** At the login page under its first tab, whichever was open last in this browser. */
async function begin(page) {
  await page.goto(`${demo.site}/login`);
  await status(page, 'waiting').waitFor();
  const first = page.locator('nav.tabs a').first();
  if (await first.getAttribute('aria-current')) return;
  await first.click();
  await page.locator('nav.tabs a[aria-current="page"]').first().waitFor();
}

async function onTheComputer(stage, options, take) {
  const computer = await stage.desktop(options);
  const phone = await stage.wechat(options);
  await computer.goto(demo.site);
  await take(computer, 'desktop', '0-sample-site');
  await begin(computer);
  await take(computer, 'desktop', '1-login-waiting');
  await phone.goto(await scanUrl(computer));
  await take(phone, 'phone', '0-ask-wechat');
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
  await phone.locator('a[data-onward]').click();
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

/** A computer at the login page, under a tab. */
async function atTab(stage, options, channel) {
  const computer = await stage.desktop(options);
  await begin(computer);
  await computer.goto(`${new URL(computer.url()).href.split('?')[0]}?channel=${channel}`);
  return computer;
}

/** What the sandbox phone would scan. */
async function scannedText(computer) {
  const link = await computer.locator('a[data-qr]').getAttribute('href');
  const direct = new URL(link).searchParams.get('open');
  if (direct) return direct;
  const to = (await fetch(link, { redirect: 'manual' })).headers.get('location');
  return new URL(to, link).searchParams.get('open');
}

async function underEachTab(stage, options, take) {
  await wechat.faultsOff();
  // Somebody who has never written to the account: each album begins with an empty chat.
  const { id: stranger } = await wechat.call('/people', { name: '小红', emoji: '🌸' });
  const official = await atTab(stage, options, 'wechat-scan');
  await take(official, 'desktop', '1-login-parametric');
  const chat = await stage.wechat(options);
  await scanIntoChat(chat, demo.sandbox, await scannedText(official), stranger);
  await take(chat, 'phone', '7-chat-stranger');
  await follow(chat);
  await lastBubble(chat).waitFor();
  await take(chat, 'phone', '7-chat');
  const still = await stage.wechat({ ...options, javaScriptEnabled: false });
  await still.goto(new URL(await lastBubble(chat).locator('a').first().getAttribute('href'), chat.url()).searchParams.get('open'));
  await take(still, 'phone', '7-arrive', { scripts: false });
  await openChatLink(chat);
  await take(chat, 'phone', '7-confirm-follower');

  await wechat.fault('errcode', { target: 'qrcode_create', code: 48001 });
  await take(await atTab(stage, options, 'wechat-scan'), 'desktop', '1-login-trouble');
  await wechat.faultsOff();

  const mini = await atTab(stage, options, 'wechat-mini');
  await take(mini, 'desktop', '1-login-mini');
  const program = await stage.wechat(options);
  await openMini(program, demo.sandbox, await scannedText(mini), 'xiaoming');
  await question(program).waitFor();
  await take(program, 'phone', '8-mini');

  const work = await atTab(stage, options, 'wecom');
  const panel = work.frameLocator('iframe[data-frame]').locator('.js_qrcode');
  await panel.waitFor();
  await take(work, 'desktop', '1-login-wecom');
  const member = await stage.phone(options);
  await scanInWecom(member, demo.sandbox, await stage.camera(panel), 'xiaoming');
  await member.locator('button[name="answer"]').first().waitFor();
  await take(member, 'phone', '9-wecom-confirm');

  const waiting = await stage.desktop(options);
  await waiting.goto(`${elsewhere.site.url}/login`);
  await status(waiting, 'waiting').waitFor();
  const camera = await stage.phone(options);
  await camera.goto(await stage.camera(waiting.locator('[data-qr]')));
  await take(camera, 'phone', '4-which-app');
}

/** The tabs that are forms, and what they say when something is wrong. */
async function byForms(stage, options, take) {
  const typed = await atTab(stage, options, 'password');
  await take(typed, 'desktop', '1-login-password');
  await typed.locator('#username').fill('demo');
  await typed.locator('#password').fill('not the password');
  await typed.locator('form[data-form="way"] button.button').click();
  await typed.locator('#password-complaint').waitFor();
  await take(typed, 'desktop', '1-login-password-wrong');
  const phone = await stage.phone(options);
  await begin(phone);
  await phone.goto(`${phone.url().split('?')[0]}?channel=sms`);
  await take(phone, 'phone', '4-login-sms');
  const mailed = await atTab(stage, options, 'email');
  await take(mailed, 'desktop', '1-login-email');
  await mailed.locator('#to').fill('ming@mail.example');
  await mailed.locator('form[data-form="way"] button').click();
  await mailed.locator('#code').waitFor();
  await take(mailed, 'desktop', '1-login-email-code');
  await mailed.goto(`${demo.sandbox}/outbox`);
  await take(mailed, 'desktop', '5-sandbox-outbox');
}

/** A website that asks for consent, in its own colour. */
async function beforeConsent(stage, options, take) {
  const computer = await stage.desktop(options);
  await computer.goto(`${asking.shop.url}/login?prompt=consent`);
  await status(computer, 'waiting').waitFor();
  await take(computer, 'desktop', '1-login-brand');
  const keyed = await computer.context().newPage();
  await keyed.goto(`${asking.shop.url}/login?login_hint=passkey`);
  await keyed.locator('[data-passkey-button]').waitFor();
  await take(keyed, 'desktop', '1-login-passkey');
  const phone = asking.wechat.phone('xiaoming');
  await phone.scan(await scanUrl(computer));
  await phone.approve(await number(computer));
  await computer.locator('form[action^="/consent/"]').first().waitFor();
  await take(computer, 'desktop', '5-consent');
}

async function onOwnPage(stage, options, take) {
  const computer = await stage.desktop(options);
  await computer.goto(`${demo.server}/account`);
  await status(computer, 'waiting').waitFor();
  await take(computer, 'desktop', '8-account-login');
  const phone = wechat.phone('xiaoming');
  await phone.scan(await scanUrl(computer));
  await phone.approve(await number(computer));
  await computer.locator('main.account').waitFor();
  await take(computer, 'desktop', '8-account');
  await computer.locator('.card-foot a[href="/account/erase"]').click();
  await computer.locator('[data-erase]').waitFor();
  await take(computer, 'desktop', '8-account-erase');
  await computer.locator('[data-erase] a[href="/account"]').click();
  await computer.locator('form:has(input[name="channel"][value="wechat"]) button').click();
  await status(computer, 'waiting').waitFor();
  await take(computer, 'desktop', '8-account-link');
  const asked = await stage.wechat(options);
  await scan(asked, await scanUrl(computer), 'ada');
  await take(asked, 'phone', '8-confirm-link');
}

/** Where the operator is named and its policies have to be agreed to. */
async function underPolicies(stage, options, take) {
  const computer = await stage.desktop(options);
  await computer.goto(filed.server.url);
  await take(computer, 'desktop', '9-filed-home');
  await computer.goto(`${filed.site.url}/login`);
  await status(computer, 'waiting').waitFor();
  await take(computer, 'desktop', '9-filed-login');
  const phone = await stage.phone(options);
  await phone.goto(`${filed.site.url}/login?login_hint=sms`);
  await phone.locator('#agreed').waitFor();
  await take(phone, 'phone', '9-filed-sms');
  await phone.locator('#to').fill('13800138000');
  await phone.evaluate(() => { document.querySelector('#agreed').form.noValidate = true; });
  await phone.locator('form[data-form="way"] button').click();
  await phone.locator('#agreed-complaint').waitFor();
  await take(phone, 'phone', '9-filed-sms-unticked');
}
