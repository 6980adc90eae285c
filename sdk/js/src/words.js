/** What the panel says, in the words of Mashang's own pages. */

/** @typedef {typeof ZH} Words */

const ZH = {
  title: '登录到',
  ways: '登录方式',
  close: '关闭',
  number: '手机确认时请输入这个数字',
  refresh: '换一个二维码',
  again: '再试一次',
  scanned: '已扫码，请在手机上确认',
  approved: '已确认，正在登录…',
  denied: '已拒绝',
  wrong_number: '手机上输入的数字不对',
  expired: '已过期',
  qr: '登录二维码',
  copy: '复制登录链接',
  copied: '已复制',
  window: '在新窗口中继续',
  blocked: '浏览器拦下了新窗口',
  server: '暂时连不上登录服务', // whatever the reason
  local: '连不上登录服务。如果它在内网，请允许本站访问本地网络',
  origin: '源未登记，请在服务器上执行：',
  warning: '只在您自己打开的页面上扫码',
};

/** @type {Words} */
const EN = {
  title: 'Sign in to',
  ways: 'Ways to sign in',
  close: 'Close',
  number: 'Type this number on your phone',
  refresh: 'Another code',
  again: 'Try again',
  scanned: 'Scanned. Confirm on your phone',
  approved: 'Confirmed, signing in…',
  denied: 'Declined',
  wrong_number: 'Wrong number',
  expired: 'Expired',
  qr: 'QR code to sign in',
  copy: 'Copy the link',
  copied: 'Copied',
  window: 'Continue in a new window',
  blocked: 'The browser blocked it',
  server: 'Sign-in service out of reach',
  local: 'Out of reach. If it is on your local network, allow this site to connect there',
  origin: 'Origin not registered. On the server, run: ',
  warning: 'Only scan codes on pages you opened yourself',
};

/** The language to use: as asked, else the page's, else the person's. @param {string | null} [asked] */
export function language(asked) {
  return /^zh/i.test(asked || document.documentElement.lang || navigator.language) ? 'zh-CN' : 'en';
}

/** @param {string} lang @returns {Words & Record<string, string>} */
export const wordsOf = (lang) => (lang === 'zh-CN' ? ZH : EN);
