/** A real ZenTao, as its people and its administrator meet it. Up to 18 its pages are jQuery's, since 20 zin's. */

import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { until } from '../support/wait.mjs';

/** What `serve.sh` prints. */
const NEEDED = ['ZENTAO_URL', 'ZENTAO_ADMIN', 'ZENTAO_PASSWORD', 'ZENTAO_TREE', 'ZENTAO_SQL'];

/** Why there is no ZenTao to test with, or nothing. */
export function zentaoMissing() {
  const missing = NEEDED.filter((name) => !process.env[name]);
  return missing.length ? `no ZenTao: ${missing.join(', ')} not set; tests/zentao/serve.sh <tree> prints them` : undefined;
}

export class ZenTao {
  constructor() {
    Object.assign(this, { url: process.env.ZENTAO_URL, tree: process.env.ZENTAO_TREE, admin: process.env.ZENTAO_ADMIN });
  }

  /** Statements, by the database's own client. */
  async sql(statements) {
    const [command, ...options] = process.env.ZENTAO_SQL.split(' ');
    return (await promisify(execFile)(command, [...options, '-e', statements])).stdout.trim();
  }

  async version() {
    return this.sql("select value from zt_config where `key` = 'version' and section = 'global'");
  }

  /** An account of this password, as often as asked the same. */
  async person(account, password, name) {
    await this.sql(`delete from zt_user where account = '${account}'; delete from zt_usergroup where account = '${account}';`
      + ` insert into zt_user (account, realname, password, gender, visions, visits) values ('${account}', '${name}', md5('${password}'), 'f', 'rnd,lite', 1);`
      + ` insert into zt_usergroup (account, \`group\`, project) values ('${account}', 2, '')`);
  }

  /** ZenTao asks whoever installs for a file on the server. */
  async iOwnTheServer() {
    await writeFile(join(this.tree, 'www', 'data', 'ok.txt'), '');
  }

  address(module, method, query = '') {
    return this.byQuery ? `${this.url}/index.php?m=${module}&f=${method}${query && `&${query}`}` : `${this.url}/${module}-${method}.html${query && `?${query}`}`;
  }

  /** Which addresses ZenTao writes: PATH_INFO or GET, or the other of them; returns which it was. Waits until PHP has noticed. */
  async writeAddresses(type) {
    const file = join(this.tree, 'config', 'my.php');
    const text = await readFile(file, 'utf8');
    const [, former] = /requestType\s*=\s*'(\w+)'/.exec(text);
    const wanted = type === 'other' ? (former === 'GET' ? 'PATH_INFO' : 'GET') : type;
    await writeFile(file, text.replace(/(requestType\s*=\s*)'\w+'/, `$1'${wanted}'`));
    this.byQuery = wanted === 'GET';
    const link = this.byQuery ? 'f=scanlogin' : 'sso-scanlogin';
    await until(`addresses like ${link}`, async () => (await (await fetch(this.loginPage())).text()).includes(link));
    return former;
  }

  loginPage() {
    return this.address('user', 'login');
  }

  /** On the login page: account, password, button. */
  async fillPassword(page, account, password) {
    await page.locator('[name="account"]').fill(account);
    await page.locator('#login input[type="password"], input#password').first().fill(password);
    await page.locator('#submit').click();
  }

  async signInByPassword(page, account, password) {
    await page.goto(this.loginPage());
    await this.fillPassword(page, account, password);
    await this.isIn(page, account);
  }

  /** Waits until the browser is inside; fails if it is somebody else. */
  async isIn(page, account) {
    await page.waitForURL((url) => url.href.startsWith(this.url) && !/login|sso/.test(url.href));
    const inside = await this.whoami(page);
    if (inside !== account) throw new Error(`signed in as ${inside}, not ${account}`);
  }

  /** Who this browser is to ZenTao. */
  async whoami(page) {
    const profile = this.byQuery ? `${this.url}/index.php?m=my&f=profile&t=json` : `${this.url}/my-profile.json`;
    const text = await (await page.context().request.get(profile, { maxRedirects: 0 })).text();
    return text.startsWith('{"status":"success"') ? JSON.parse(JSON.parse(text).data).user?.account ?? 'guest' : 'guest';
  }

  async sessionId(page) {
    return (await page.context().cookies(this.url)).find((cookie) => cookie.name === 'zentaosid')?.value;
  }

  /** 后台 › 插件管理 › 本地安装, in this administrator's browser. */
  async install(page, zip) {
    await this.iOwnTheServer();
    await page.goto(this.address('extension', 'browse', '_single=1'));
    const modern = await page.locator('html.theme-default').count() > 0 && await page.locator('.zin-page-css, #configJS').count() > 0;
    await (modern ? this.installModern(page, zip) : this.installFormer(page, zip));
  }

  async installModern(page, zip) {
    await page.locator('a[href*="extension-upload"], [data-url*="extension-upload"], a[href*="f=upload"], [data-url*="f=upload"]').first().click();
    await page.locator('.modal input[type="file"]').first().setInputFiles(zip);
    await page.locator('.modal button[type="submit"]').first().click();
    await this.throughSteps(page.locator('.modal'));
  }

  async installFormer(page, zip) {
    await page.goto(this.address('extension', 'upload', '_single=1'));
    await page.locator('input[type="file"]').setInputFiles(zip);
    await page.locator('#submit, button[type="submit"]').first().click();
    await page.waitForURL(/install|upgrade/);
    await this.throughSteps(page.frameLocator('#appIframe-admin').locator('body'));
  }

  /** "I agree", and whatever else ZenTao puts in between, until it says that it is done. */
  async throughSteps(where) {
    const done = where.getByText(/恭喜您/);
    const onward = where.locator('.btn-primary, .btn.primary').filter({ hasText: /同意|强制|继续/ });
    const pressed = new Set();
    await until('ZenTao has installed the extension', async () => {
      if (await done.count()) return true;
      for (const label of await onward.allInnerTexts()) {
        if (pressed.has(label)) continue;
        // By event: ZenTao 18 covers its pages with news for whoever is there for the first time. One that is gone again is
        // looked for anew.
        const press = onward.filter({ hasText: label }).first().dispatchEvent('click', {}, { timeout: 1000 });
        await press.then(() => pressed.add(label), () => {});
      }
      return false;
    }, 30_000);
  }
}
