/**
 * Desktops and phones in one Chromium, and what a person sees and does there. Every context is watched: a script error
 * or a violation of a Content-Security-Policy fails the journey it happened in.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';

import jsqr from 'jsqr';
import { chromium } from 'playwright-core';

import { WECHAT_PHONE, WECOM_PHONE } from './jar.mjs';
import { until } from './wait.mjs';

export const OUTPUT = fileURLToPath(new URL('../output', import.meta.url));
const ANDROID =
  'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36';
const PHONE_SCREEN = { width: 390, height: 844 };
const ONE_JOURNEY = 90_000;
const ONE_STEP = 15_000;

/** `options` are Playwright's. */
export function launch(options = {}) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
    ],
    ...options,
  });
}

/**
 * Returns `journey(name, body)`, which is a test with desktops and phones of its own in the file's one Chromium.
 *
 * @returns {(name: string, body: (stage: Stage) => Promise<void>) => void}
 */
export function journeys() {
  let browser;
  before(async () => { browser = await launch(); });
  after(() => browser?.close());
  return (name, body) => test(name, { timeout: ONE_JOURNEY }, async () => {
    const stage = new Stage(browser);
    try {
      await body(stage);
      stage.assertQuiet();
    } catch (error) {
      await stage.photograph(name);
      if (!stage.violations.length) throw error;
      throw new Error([error.message, 'and in the browsers:', ...stage.violations].join('\n'), { cause: error });
    } finally {
      await stage.close();
    }
  });
}

/** The devices of one journey. */
export class Stage {
  constructor(browser) {
    this.browser = browser;
    this.contexts = [];
    this.violations = [];
  }

  /** A person at a computer. */
  desktop(options = {}) {
    return this.device({ viewport: { width: 1280, height: 800 }, locale: 'zh-CN', ...options });
  }

  /** A phone's own browser, as its camera opens it. */
  phone(options = {}) {
    const screen = { viewport: PHONE_SCREEN, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
    return this.device({ ...screen, userAgent: ANDROID, locale: 'zh-CN', ...options });
  }

  /** The browser inside WeChat. */
  wechat(options = {}) {
    return this.phone({ userAgent: WECHAT_PHONE, ...options });
  }

  /** The browser inside WeCom. */
  wecom(options = {}) {
    return this.phone({ userAgent: WECOM_PHONE, ...options });
  }

  async device(options) {
    const context = await this.browser.newContext(options);
    context.setDefaultTimeout(ONE_STEP);
    this.contexts.push(context);
    context.on('weberror', (error) => this.violations.push(`script error: ${error.error()}`));
    context.on('console', (message) => {
      if (/Content[- ]Security[- ]Policy|Refused to/i.test(message.text())) this.violations.push(message.text());
    });
    return context.newPage();
  }

  /** What a phone's camera reads on this part of a screen. */
  async camera(locator) {
    await locator.waitFor();
    const lens = this.lens ??= await this.device({});
    const read = async () => {
      const png = await photo(locator);
      const { data, width, height } = await lens.evaluate(pixels, png);
      return jsqr.default(Uint8ClampedArray.from(Buffer.from(data, 'base64')), width, height)?.data;
    };
    return until('the camera reads the QR', read);
  }

  assertQuiet() {
    if (this.violations.length) throw new Error(`in the browsers:\n${this.violations.join('\n')}`);
  }

  /** Pictures of every page, for whoever looks into a failure. */
  async photograph(name) {
    const folder = join(OUTPUT, 'failed', name.replace(/[^\w]+/g, '_'));
    await mkdir(folder, { recursive: true });
    const pages = this.contexts.flatMap((context) => context.pages()).filter((page) => !page.isClosed());
    await Promise.all(pages.map(async (page, index) => {
      try {
        await page.screenshot({ path: join(folder, `${index}.png`), timeout: 5000 });
        await writeFile(join(folder, `${index}.html`), `<!-- ${page.url()} -->\n${await page.content()}`);
      } catch { /* a page that cannot be photographed says nothing about the failure */ }
    }));
  }

  async close() {
    await Promise.allSettled(this.contexts.map((context) => context.close()));
  }
}

/**
 * A picture of one part of a page, as base64. Not `locator.screenshot()`, which waits for a page to have loaded: WeChat's
 * QR page never has, since it waits by loading scripts.
 */
async function photo(locator) {
  await locator.scrollIntoViewIfNeeded();
  const page = locator.page();
  const { x, y, width, height } = await locator.boundingBox();
  const scrolled = await page.evaluate(() => ({ x: scrollX, y: scrollY }));
  const lens = await page.context().newCDPSession(page);
  const clip = { x: x + scrolled.x, y: y + scrolled.y, width, height, scale: 2 };
  const { data } = await lens.send('Page.captureScreenshot', { format: 'png', clip });
  await lens.detach();
  return data;
}

/** Runs in the browser: a picture's pixels. */
async function pixels(png) {
  const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
  const canvas = new OffscreenCanvas(image.width, image.height);
  const pen = canvas.getContext('2d');
  pen.drawImage(image, 0, 0);
  const { data } = pen.getImageData(0, 0, image.width, image.height);
  let text = '';
  for (let at = 0; at < data.length; at += 32_768) text += String.fromCharCode(...data.subarray(at, at + 32_768));
  return { data: btoa(text), width: image.width, height: image.height };
}

// ---- what people see and do ----

/** At a website of `startSite`, on the way to the login page; `query` are authorization parameters. */
export async function signIn(page, site, query = '') {
  await page.goto(`${site.url}/login${query}`);
  await status(page, 'waiting').waitFor();
  return page;
}

/** The login page's status, as the style sheet reads it. */
export function status(page, name) {
  return page.locator(`#login[data-status="${name}"]`);
}

/** The two digits on the login page. */
export async function number(page) {
  return (await page.locator('[data-text="number"]').innerText()).trim();
}

/** Another two digits. */
export function otherNumber(digits) {
  return String((Number(digits) + 1) % 100).padStart(2, '0');
}

/** The link in the login page's QR, without a camera: the sandbox's link names it. */
export async function scanUrl(page) {
  const href = await page.locator('[data-link="sandbox"]').first().getAttribute('href');
  return new URL(href).searchParams.get('open');
}

/** The address of the ticket a login page shows, below `/login/{grant}/{ticket}`. */
export function ticketUrl(page) {
  return new URL(page.url()).origin + new URL(page.url()).pathname;
}

/** On a phone in WeChat: opens a link and becomes `person` there; ends where WeChat asks for consent. */
export async function openInWeChat(phone, url, person) {
  await phone.goto(url);
  // WeChat asks only whoever set out by themself.
  const onward = phone.locator('a[data-onward]');
  if (await onward.count()) await onward.click();
  await phone.locator(`button[name="person"][value="${person}"]`).click();
}

/** On a phone in WeChat: opens the QR's link, becomes `person`, allows; ends at our confirm page. */
export async function scan(phone, url, person) {
  await openInWeChat(phone, url, person);
  await phone.locator('button[name="answer"][value="allow"]').click();
  await phone.locator('form#approve').waitFor({ state: 'attached' });
}

/** On the confirm page: yes. */
export async function approve(phone, digits) {
  if (digits !== undefined) await phone.locator('#number').fill(digits);
  await phone.locator('button.button-yes').click();
}

/** On the confirm page: no. */
export async function deny(phone) {
  await phone.locator('button.button-no').click();
}

/** Which outcome the phone's last page tells. */
export function outcome(phone, name) {
  return phone.locator(`main.result-${name}`);
}
