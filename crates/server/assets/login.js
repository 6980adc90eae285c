/**
 * Makes waiting on the login page pleasant; without it QR, number and forms still work.
 *
 *   watch ──► show ──┬─ approved ──► redeem ──► the website
 *     ▲              ├─ expired ───► renew ──┐
 *     └──────────────┴── fresh ticket ◄──────┘   (denied: the person presses the button)
 *
 * News is brought by the watcher that websites use as well (`watch.js` of the browser SDK); it is only a state, never a
 * person or a code. The style sheet shows what belongs to `data-status` on <main>. Nothing is written as HTML.
 *
 * @typedef {{status: string, version?: number, seconds_left?: number, reason?: string}} News
 */

const page = document.getElementById('login');
const urls = JSON.parse(page.dataset.urls);
const words = JSON.parse(page.dataset.words);
const AUTOMATIC_RENEWALS = 20;

let status = page.dataset.status;
let version = 0;
let deadline = 0; // of this stage, on performance.now()
let renewals = 0;
let busy = false;
let leaving = false; // by a form that ends this page
let watcher = { stop() {}, check() {} };
let sdk; // what `watch.js` exports

const all = (selector) => Array.from(page.querySelectorAll(selector));
const isOpen = () => status === 'waiting' || status === 'scanned';

/** Tells whoever listens to the page; also the number, where one is shown, because they do not see that it changed. */
function announce(text, withNumber = false) {
  const number = withNumber && page.querySelector('[data-text="number"]');
  page.querySelector('[data-live]').textContent = number
    ? words.with_number.replace('{text}', text).replace('{number}', number.textContent) : text || '';
}

/** A request of this browser, and the time before the next one: what the server asks for, if it does. */
const post = (url) => sdk.request(url, { method: 'POST', credentials: 'same-origin' });
const rest = (failures, { wait }) => sdk.pause(wait || sdk.backoff(failures), new AbortController().signal);

function watch() {
  watcher.stop();
  watcher = sdk.watch({
    urls, credentials: 'same-origin', seen: version, onNews: show, onGone: () => show({ status: 'expired' }),
  });
}

// ---- what happens next ----

/** @param {News} news */
function show(news) {
  if (leaving || news.version < version) return; // overtaken
  const before = status;
  const focused = document.activeElement;
  status = news.reason === 'wrong_number' ? news.reason : news.status;
  version = news.version || version;
  deadline = performance.now() + 1000 * (news.seconds_left || 1);
  page.dataset.status = status;
  if (status !== before) announce(words[status], status === 'scanned');
  keepFocus(focused);
  if (isOpen()) return tick();
  watcher.stop();
  if (status === 'approved') redeem();
  else if (status !== 'denied' && status !== 'wrong_number') renew();
}

/** What had the focus may be hidden now, and then the page would be read from its beginning: the next button, else the heading. */
function keepFocus(focused) {
  const isSeen = (node) => node.getClientRects().length;
  if (!page.contains(focused) || isSeen(focused)) return;
  const section = focused.closest('section') || page;
  const heading = page.querySelector('h1');
  heading.tabIndex = -1;
  (Array.from(section.querySelectorAll('button')).find(isSeen) || heading).focus();
}

async function redeem() {
  if (busy) return;
  busy = true;
  for (let failures = 0; failures < 5; failures += 1) {
    const answer = await post(urls.redeem).catch(() => ({})); // the network
    const { ok, status: code, body } = answer;
    if (ok && body.redirect) return location.replace(body.redirect);
    if (code === 403) return refuse(body); // once more would find the approval spent
    if ([404, 409, 410].includes(code) && body.status !== 'approved') {
      busy = false;
      show({ status: body.status || 'expired' });
      if (isOpen()) watch();
      return;
    }
    await rest(failures, answer);
  }
  busy = false;
  const help = page.querySelector('[data-help]');
  help.open = true;
  help.querySelector('p').textContent = words.manual;
  announce(words.manual);
}

/**
 * The server says why this person is not let in: as its own page of a problem, and nothing of this one leads on.
 * @param {{title: string, detail: string, onward?: {href: string, label: string}}} why
 */
function refuse({ title, detail, onward }) {
  const part = (name, given, ...children) => {
    const node = Object.assign(document.createElement(name), given);
    node.append(...children);
    return node;
  };
  const heading = part('h1', { tabIndex: -1 }, title);
  const icon = page.querySelector('.when-wrong_number .icon') || '!';
  const parts = [part('div', { className: 'badge' }, icon), heading, part('p', {}, detail)];
  if (onward) {
    parts.push(part('div', { className: 'actions' }, part('a', { className: 'button button-big', href: onward.href }, onward.label)));
  }
  page.className = 'card card-narrow result result-failed';
  page.textContent = '';
  page.append(...parts);
  document.title = title;
  heading.focus();
}

/** A fresh ticket: by itself while somebody looks, else when asked for. */
async function renew(asked = false) {
  if (busy || (!asked && (document.hidden || renewals >= AUTOMATIC_RENEWALS))) return;
  busy = true;
  renewals = asked ? 0 : renewals + 1;
  for (let failures = 0; failures < 8; failures += 1) {
    const answer = await post(urls.refresh).catch(() => ({})); // the network
    if (answer.ok && answer.body.ticket) {
      swap(answer.body, asked);
      break;
    }
    if (answer.status === 410 || (asked && answer.status === 404)) return location.reload(); // the server explains
    if (answer.status === 404) break;
    await rest(failures, answer);
  }
  busy = false;
}

/** The code as an element: a picture drawn by the platform, or our SVG. */
function code(ticket, before) {
  if (ticket.picture) {
    const image = before.querySelector('img') || document.createElement('img');
    image.src = ticket.picture;
    return image;
  }
  const svg = new DOMParser().parseFromString(ticket.qr_svg, 'image/svg+xml').documentElement;
  return document.importNode(svg, true);
}

function swap({ ticket, frame, trouble, urls: fresh, sandbox_phone_href: sandbox, continue_href: onward }, asked) {
  Object.assign(urls, fresh);
  // The platform gave no code, or gives one again: another page, which the server draws.
  // Only for a person: an open page that nobody looks at shall not go on asking a platform that has trouble.
  if (trouble || all('[data-trouble]').length) {
    if (asked) location.replace(fresh.page);
    return;
  }
  for (const box of all('[data-qr]')) {
    const drawn = code(ticket, box);
    box.textContent = '';
    box.append(drawn);
  }
  for (const place of all('[data-text="number"]')) place.textContent = ticket.number;
  for (const field of all('[data-scan-url]')) {
    field.value = ticket.scan_url;
    field.dispatchEvent(new Event('change')); // the button beside it has copied the former
  }
  for (const form of all('[data-form]')) form.action = urls[form.dataset.form];
  const links = { sandbox, onward: onward || ticket.scan_url, frame: frame && frame.redirect_href };
  for (const link of all('[data-link]')) link.href = links[link.dataset.link] || link.href;
  for (const old of frame && frame.src ? all('[data-frame]') : []) {
    const next = old.cloneNode(); // leaves no step in the history
    next.src = frame.src;
    old.replaceWith(next);
  }
  history.replaceState(null, '', fresh.page); // a reload shows this ticket
  version = 0;
  show(ticket);
  announce(words.renewed, true);
  watch();
}

// ---- clock and person ----

function tick() {
  if (!isOpen()) return;
  const left = Math.max(0, Math.ceil((deadline - performance.now()) / 1000));
  const time = Math.floor(left / 60) + ':' + String(left % 60).padStart(2, '0');
  const text = words[status === 'scanned' ? 'confirm_within' : 'valid'].replace('{time}', time);
  for (const place of all('[data-countdown]')) place.textContent = text;
  if (left > 0) return;
  deadline = performance.now() + 3000; // the server decides
  watcher.check();
}

/** Back from another tab, app or sleep; the watcher itself sees to an open ticket. */
function resume() {
  if (document.hidden || leaving || !sdk) return;
  if (status === 'approved') redeem();
  else if (status === 'expired') renew();
}

page.addEventListener('submit', (event) => {
  const { form } = event.target.dataset;
  if (form === 'cancel' || form === 'redeem') {
    leaving = busy = true; // the news of it must not overtake the way out
    watcher.stop();
  }
  if (form !== 'refresh' || busy || !sdk) return; // not there yet: the form works by itself
  event.preventDefault();
  renew(true);
});
document.addEventListener('visibilitychange', resume);
addEventListener('online', resume);
addEventListener('pageshow', (event) => {
  if (!event.persisted) return;
  if (leaving) leaving = busy = false;
  if (!sdk) return;
  if (isOpen()) watch();
  else resume();
});

import(page.dataset.watch).then((loaded) => {
  sdk = loaded;
  setInterval(tick, 1000);
  watch();
  show({ status, version: +page.dataset.version, seconds_left: +page.dataset.secondsLeft });
}, comeAgain);

/**
 * The watcher did not arrive: a lost network, or a server that was just being restarted. Browsers remember a module that
 * failed for as long as the page lives, so the page itself comes again once the server answers; not over what somebody
 * typed, and not for ever.
 */
async function comeAgain() {
  const before = (history.state || {}).again || 0;
  for (let tries = before; tries < 8; tries += 1) {
    await new Promise((done) => setTimeout(done, 500 * 2 ** tries));
    const answer = await fetch(page.dataset.watch, { cache: 'reload' }).catch(() => null);
    if (!answer || !answer.ok) continue;
    if (leaving || all('input:not([type=hidden]):not([readonly])').some((field) => field.value)) return;
    history.replaceState({ again: tries + 1 }, '');
    return location.reload();
  }
}
