/**
 * Pictures of every page: light and dark, desktop and phone, Chinese and English, into `tests/output/`. With `--docs`,
 * the few that the documentation shows are also copied to `docs/images/`.
 */

import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { album, openStudio } from './support/album.mjs';
import { OUTPUT, launch } from './support/browser.mjs';
import { until } from './support/wait.mjs';

const DOCS = fileURLToPath(new URL('../docs/images', import.meta.url));
const FOR_DOCS = {
  'login.png': 'zh-light-desktop-1-login-waiting.png',
  'login.en.png': 'en-light-desktop-1-login-waiting.png',
  'confirm.png': 'zh-light-phone-1-confirm.png',
  'confirm.en.png': 'en-light-phone-1-confirm.png',
  'password.png': 'zh-light-desktop-1-login-password.png',
  'password.en.png': 'en-light-desktop-1-login-password.png',
  'consent.png': 'zh-light-desktop-5-consent.png',
  'consent.en.png': 'en-light-desktop-5-consent.png',
  'account.png': 'zh-light-desktop-8-account.png',
  'account.en.png': 'en-light-desktop-8-account.png',
  'error.png': 'zh-light-desktop-6-error.png',
  'error.en.png': 'en-light-desktop-6-error.png',
};

const closeStudio = await openStudio();
const browser = await launch();
await mkdir(OUTPUT, { recursive: true });
try {
  for (const language of ['zh', 'en']) {
    for (const colorScheme of ['light', 'dark']) {
      await album(browser, { language, colorScheme }, (page, device, name) =>
        photograph(page, join(OUTPUT, `${language}-${colorScheme}-${device}-${name}.png`)));
    }
  }
  if (process.argv.includes('--docs')) {
    await mkdir(DOCS, { recursive: true });
    for (const [to, from] of Object.entries(FOR_DOCS)) await copyFile(join(OUTPUT, from), join(DOCS, to));
  }
} finally {
  await browser.close();
  await closeStudio();
}

/** Not `page.screenshot()`, which waits for a page to have loaded: WeChat's QR page waits by loading scripts. */
async function photograph(page, path) {
  const lens = await page.context().newCDPSession(page);
  // On a busy machine Chromium sometimes has no frame to give; the next moment it has.
  const { data } = await until('a picture', () => lens.send('Page.captureScreenshot', { format: 'png' }).catch(() => undefined));
  await lens.detach();
  await writeFile(path, Buffer.from(data, 'base64'));
}
