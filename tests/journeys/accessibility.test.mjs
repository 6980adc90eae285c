/**
 * Every page as axe sees it (WCAG 2.2 A and AA), light and dark, desktop and phone: nothing serious. The sandbox's own
 * phone and chat pages are looked at too, since people who try things out use them.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';

import { album, openStudio } from '../support/album.mjs';
import { launch } from '../support/browser.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] };
const SERIOUS = ['serious', 'critical'];

describe('accessibility', () => {
  let browser;
  let closeStudio;
  before(async () => {
    closeStudio = await openStudio();
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await closeStudio?.();
  });

  for (const how of [{ language: 'zh', colorScheme: 'light' }, { language: 'en', colorScheme: 'dark' }]) {
    test(`axe finds nothing serious on any page (${how.language}, ${how.colorScheme})`, { timeout: 240_000 }, async () => {
      const found = [];
      let looked = 0;
      await album(browser, how, async (page, device, name, { scripts = true } = {}) => {
        if (!scripts) return; // its script would leave it at once
        looked += 1;
        for (const { id, nodes } of await examine(page)) {
          found.push(`${device}-${name}: ${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`);
        }
      });
      assert.ok(looked > 20, `only ${looked} pages`);
      assert.deepEqual(found, []);
    });
  }
});

/** By the debugger's way in, since no page of ours runs a script that is not its own. */
async function examine(page) {
  await page.evaluate(AXE);
  // The platforms' own frames are not ours to judge, and nobody in them would answer.
  const { violations } = await page.evaluate((runOnly) => window.axe.run(document, { runOnly, iframes: false }), RULES);
  return violations.filter(({ impact }) => SERIOUS.includes(impact));
}
