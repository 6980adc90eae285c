/** WeCom's own pages, at the computer and on the phone. */

/** WeCom's login page, wherever it is shown: in a frame or in the whole window. */
export class WecomPage {
  /** @param {import('playwright-core').Page | import('playwright-core').FrameLocator} inside */
  constructor(wechat, inside) {
    this.wechat = wechat;
    this.inside = inside;
  }

  /** The panel in our login page. */
  static panel(wechat, page) {
    return new WecomPage(wechat, page.frameLocator('iframe[data-frame]'));
  }

  picture() {
    return this.inside.locator('.js_qrcode');
  }

  /** Which login this QR is for. */
  async key() {
    return new URL(await this.picture().getAttribute('src'), 'http://x').searchParams.get('key');
  }

  /** A phone in WeCom scans; returns what it then does, by script. */
  async scan(person) {
    const tap = { uuid: await this.key(), person };
    await this.wechat.call('/scan', tap);
    return {
      allow: () => this.wechat.call('/allow', tap),
      deny: () => this.wechat.call('/deny', tap),
    };
  }
}

/** What WeCom's phone shows of a scanned login: opens it on a phone and becomes `person` there. */
export async function scanInWecom(phone, sandbox, text, person) {
  await phone.goto(`${sandbox}/phone?${new URLSearchParams({ open: text, app: 'wecom' })}`);
  await phone.locator(`button[name="person"][value="${person}"]`).click();
}

/** The member's yes or no on WeCom's own page. */
export async function answer(phone, value) {
  await phone.locator(`button[name="answer"][value="${value}"]`).click();
  await phone.locator(`section.notice[data-kind="${value === 'allow' ? 'allowed' : 'denied'}"]`).waitFor();
}
