/** The official account on a phone: its code scanned, its chat, and the link that it sends. */

/** Scans on a phone of the sandbox and becomes `person` there; ends in the chat. */
export async function scanIntoChat(phone, sandbox, text, person) {
  await phone.goto(`${sandbox}/phone?${new URLSearchParams({ open: text })}`);
  await phone.locator(`button[name="person"][value="${person}"]`).click();
  await phone.waitForURL(/\/phone\/chat\//);
}

/** Scans once more on a phone whose person is known; ends when the account, which wrote `before` times, wrote again. */
export async function scanAgain(phone, sandbox, text, before = 1) {
  await phone.goto(`${sandbox}/phone?${new URLSearchParams({ open: text, go: '1' })}`);
  await phone.locator('.bubble.theirs').nth(before).waitFor();
}

/** Taps 关注. */
export function follow(phone) {
  return phone.locator('button[name="do"][value="follow"]').click();
}

/** What the account wrote last. */
export function lastBubble(phone) {
  return phone.locator('.bubble.theirs').last();
}

/** The link in what the account wrote last, as it stands there. */
export async function chatLink(phone) {
  const href = await lastBubble(phone).locator('a').first().getAttribute('href');
  return new URL(href, phone.url()).searchParams.get('open');
}

/** Taps that link; ends at our confirm page. */
export async function openChatLink(phone) {
  await lastBubble(phone).locator('a').first().click();
  await phone.locator('form#approve').waitFor({ state: 'attached' });
}
