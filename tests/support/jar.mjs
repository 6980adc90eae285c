/** A browser's bare minimum: requests with a cookie jar, redirects followed by hand. */

export const WECHAT_PHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.50(0x18003231) NetType/WIFI Language/zh_CN';
export const WECOM_PHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 wxwork/4.1.22 MicroMessenger/7.0.1 Language/zh ColorScheme/Light';
export const DESKTOP =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

export class Jar {
  /** @param {Record<string, string>} headers sent with every request */
  constructor(headers = {}) {
    this.headers = headers;
    this.cookies = new Map();
  }

  /** How a request is sent. */
  ask(url, options) {
    return fetch(url, options);
  }

  /** One request; a redirect is not followed. */
  async send(method, url, { form, headers = {}, ...rest } = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await this.ask(url, {
      method,
      redirect: 'manual',
      body: form && new URLSearchParams(form),
      headers: { accept: 'text/html', ...this.headers, ...(cookie && { cookie }), ...headers },
      ...rest,
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (/max-age=0/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return answer;
  }

  get(url, options) {
    return this.send('GET', url, options);
  }

  post(url, form = {}, options = {}) {
    return this.send('POST', url, { form, ...options });
  }
}

/** Where a redirect leads; fails if it is none. */
export async function location(answer) {
  const to = answer.headers.get('location');
  if (!to) throw new Error(`no redirect but ${answer.status} at ${answer.url}`);
  return new URL(to, answer.url).href;
}

/** What the first group of `pattern` holds in a page, as the browser reads it. */
export function attribute(html, pattern) {
  const raw = pattern.exec(html)?.[1];
  const named = { amp: '&', lt: '<', gt: '>', quot: '"' };
  return raw?.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(amp|lt|gt|quot));/gi, (_, hex, decimal, name) =>
    name ? named[name] : String.fromCodePoint(hex ? parseInt(hex, 16) : Number(decimal)));
}
