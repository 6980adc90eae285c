/** The sample site of `mashang`'s demo, as a person at a computer meets it. */

import { status } from './browser.mjs';

/** At the sample site, on the way to the login page, under the tab of `channel` if one is named. */
export async function signInAtSample(page, demo, channel) {
  await page.goto(`${demo.site}/login`);
  await status(page, 'waiting').waitFor();
  if (channel) {
    await page.locator(`nav.tabs a[href="?channel=${channel}"]`).click();
    await page.locator(`nav.tabs a[href="?channel=${channel}"][aria-current="page"]`).waitFor();
  }
  return page;
}

/** What the sample site shows to whoever is signed in. */
export const signedIn = (page) => page.locator('#hello');

/** One claim that the sample site was told. */
export async function claim(page, name) {
  await signedIn(page).waitFor();
  return page.locator('tr', { has: page.locator(`th:text-is("${name}")`) }).locator('td').innerText();
}
