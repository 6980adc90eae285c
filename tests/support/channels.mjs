/** Sections `[channel.…]` for what a sandbox has registered, as an operator writes them. */

/** Known to everybody; typed into the pretend console by `tellWhereEventsGo`. */
const EVENTS = { token: 'journeyEventToken', aes_key: 'JourneyEventKeyJourneyEventKeyJourneyEvent1' };

const section = (name, keys) => [`[channel.${name}]`,
  ...Object.entries(keys).filter(([, value]) => value !== undefined).map(([key, value]) => `${key} = ${JSON.stringify(value)}`), ''].join('\n');

/** Our own QR, opened in WeChat. */
export function officialLink(sandbox, more = {}) {
  return section('wechat', { kind: 'wechat-official', ...sandbox.official, open_platform: 'main', order: 1, ...more });
}

/** The Open Platform's page. */
export function website(sandbox, more = {}) {
  return section('wechat-web', { kind: 'wechat-open', ...sandbox.website, open_platform: 'main', order: 2, ...more });
}

/** The official account's own QR; needs `tellWhereEventsGo` afterwards. */
export function parametric(sandbox, more = {}) {
  const account = { ...sandbox.official, open_platform: 'main' };
  return section('wechat-scan', { kind: 'wechat-official', ...account, qr: 'parametric', order: 3, ...more })
    + section('wechat-scan.events', { ...EVENTS, original_id: ORIGINAL_ID });
}

/** The mini-program's code, or a link that opens it. */
export function mini(sandbox, more = {}) {
  const page = 'pages/login/login';
  return section('wechat-mini', { kind: 'wechat-mini', ...sandbox.mini, open_platform: 'main', page, order: 4, ...more });
}

/** WeCom's panel, page or in-app authorization; with `events`, `tellWhereNewsGo` belongs to it. */
export function wecom(sandbox, { events = false, ...more } = {}) {
  const { corpid, agentid, secret } = sandbox.corp;
  return section('wecom', { kind: 'wecom', corpid, agentid: Number(agentid), secret, order: 5, ...more })
    + (events ? section('wecom.events', EVENTS) : '');
}

/** An app of the operator's, whose back end is `examples/own-app`. */
export function ownApp(issuer, more = {}) {
  const name = more.name ?? 'myapp';
  return section(name, { kind: 'app', issuer, audience: 'mashang', order: 6, ...more, name: undefined });
}

/** What a journey gets that says nothing else. */
export function linkAndPage(sandbox) {
  return officialLink(sandbox) + website(sandbox);
}

/** The account's original id in every sandbox. */
const ORIGINAL_ID = 'gh_5a9d0b0c0de2';

/** Types our event address into the account's pretend console, which checks it at once. */
export function tellWhereEventsGo({ sandbox, server, wechat }, channel = 'wechat-scan') {
  return wechat.call(`/apps/${sandbox.official.appid}/events`, { url: `${server.url}/channel/${channel}/events`, ...EVENTS });
}

/** Types our address into the company's pretend console (通讯录同步 › 事件接收). */
export async function tellWhereNewsGo({ server, wechat }, channel = 'wecom') {
  const { corps: [{ corpid }] } = await wechat.call('/wecom/corps');
  return wechat.call(`/wecom/corps/${corpid}/events`, { url: `${server.url}/channel/${channel}/events`, ...EVENTS });
}

/** Tells the mini-program's pretend page where its server is, as its author does in its source. */
export function tellMiniProgram({ sandbox, server, wechat }, channel = 'wechat-mini') {
  return wechat.call(`/apps/${sandbox.mini.appid}/mini`, { demo_api_base: server.url, demo_channel: channel });
}
