/**
 * Makes waiting on the login page pleasant; without it QR, number and forms still work.
 *
 *   watch ──► show ──┬─ approved ──► redeem ──► the website
 *     ▲              ├─ expired ───► renew ──┐
 *     └──────────────┴── fresh ticket ◄──────┘   (denied: the person presses the button)
 *
 * News comes by pushed events, else held requests, else asking again and again; it is only a state, never a person
 * or a code. The style sheet shows what belongs to `data-status` on <main>. Nothing is written as HTML.
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
let life = new AbortController(); // of this watch

const all = (selector) => Array.from(page.querySelectorAll(selector));
const announce = (text) => { page.querySelector('[data-live]').textContent = text || ''; };
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const backoff = (failures) => sleep(Math.min(10000, 1000 * 2 ** failures));
const isOpen = () => status === 'waiting' || status === 'scanned';

/** @param {number} limit in ms */
async function request(method, url, limit, signal) {
  const ends = new AbortController();
  const end = () => ends.abort();
  const timer = setTimeout(end, limit);
  if (signal) signal.addEventListener('abort', end);
  try {
    return await fetch(url, { method, signal: ends.signal, headers: { accept: 'application/json' } });
  } finally {
    clearTimeout(timer);
  }
}

// ---- watching ----

function watch() {
  life.abort();
  life = new AbortController();
  const { signal } = life;
  listen(signal).then(() => poll(signal));
}

/** Pushed events; resolves when they do not get through. */
function listen(signal) {
  return new Promise((done) => {
    const source = new EventSource(urls.events);
    let errors = 1; // until something is heard, the first is one too many
    const stop = () => { clearTimeout(silence); source.close(); done(); };
    const silence = setTimeout(stop, 8000); // a proxy holds it back
    source.addEventListener('status', (event) => {
      clearTimeout(silence);
      errors = 0;
      show(JSON.parse(event.data));
    });
    source.addEventListener('gone', () => show({ status: 'expired' }));
    source.onerror = () => {
      errors += 1;
      if (errors > 1 || source.readyState === EventSource.CLOSED) stop();
    };
    signal.addEventListener('abort', stop);
  });
}

/** Held requests, else one every 2 s. */
async function poll(signal) {
  let hold = true;
  let failures = 0;
  while (!signal.aborted) {
    const asked = performance.now();
    try {
      const news = await ask(hold, signal);
      if (signal.aborted) return;
      failures = 0;
      const moved = news.version !== version;
      show(news);
      if (!moved && performance.now() - asked < 2000) await sleep(2000);
    } catch (error) {
      failures += 1;
      if (error.name === 'AbortError' || failures > 1) hold = false;
      await (error.wait ? sleep(error.wait) : backoff(failures));
    }
  }
}

/** @param {boolean} hold wait for a change @returns {Promise<News>} */
async function ask(hold, signal) {
  const url = urls.status + (hold ? '?wait=25&seen=' + version : '');
  const answer = await request('GET', url, hold ? 40000 : 10000, signal);
  if (answer.ok) return answer.json();
  if (answer.status === 404) return { status: 'expired' }; // forgotten in a restart
  throw Object.assign(new Error(), { wait: 1000 * answer.headers.get('retry-after') });
}

// ---- what happens next ----

/** @param {News} news */
function show(news) {
  if (leaving || news.version < version) return; // overtaken
  const before = status;
  status = news.reason === 'wrong_number' ? news.reason : news.status;
  version = news.version || version;
  deadline = performance.now() + 1000 * (news.seconds_left || 1);
  page.dataset.status = status;
  if (status !== before) announce(words[status]);
  if (isOpen()) return tick();
  life.abort();
  if (status === 'approved') redeem();
  else if (status !== 'denied' && status !== 'wrong_number') renew();
}

async function redeem() {
  if (busy) return;
  busy = true;
  for (let failures = 0; failures < 5; failures += 1) {
    try {
      const answer = await request('POST', urls.redeem, 20000);
      const body = await answer.json();
      if (answer.ok) return location.replace(body.redirect);
      if ([404, 409, 410].includes(answer.status) && body.status !== 'approved') {
        busy = false;
        show({ status: body.status || 'expired' });
        if (isOpen()) watch();
        return;
      }
    } catch (error) { /* the network */ }
    await backoff(failures);
  }
  busy = false;
  page.querySelector('[data-help]').open = true;
  announce(words.manual);
}

/** A fresh ticket: by itself while somebody looks, else when asked for. */
async function renew(asked = false) {
  if (busy || (!asked && (document.hidden || renewals >= AUTOMATIC_RENEWALS))) return;
  busy = true;
  renewals = asked ? 0 : renewals + 1;
  for (let failures = 0; failures < 8; failures += 1) {
    try {
      const answer = await request('POST', urls.refresh, 20000);
      if (answer.ok) {
        swap(await answer.json(), asked);
        break;
      }
      if (answer.status === 410 || (asked && answer.status === 404)) return location.reload(); // the server explains
      if (answer.status === 404) break;
    } catch (error) { /* the network */ }
    await backoff(failures);
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
  for (const box of all('[data-qr]')) box.replaceChildren(code(ticket, box));
  for (const place of all('[data-text="number"]')) place.textContent = ticket.number;
  for (const field of all('[data-scan-url]')) field.value = ticket.scan_url;
  for (const form of all('[data-form]')) form.action = urls[form.dataset.form];
  const links = { sandbox, onward, frame: frame && frame.redirect_href };
  for (const link of all('[data-link]')) link.href = links[link.dataset.link] || link.href;
  for (const old of frame && frame.src ? all('[data-frame]') : []) {
    const next = old.cloneNode(); // leaves no step in the history
    next.src = frame.src;
    old.replaceWith(next);
  }
  history.replaceState(null, '', fresh.page); // a reload shows this ticket
  version = 0;
  show(ticket);
  announce(words.renewed);
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
  ask(false).then(show, () => {});
}

/** Back from another tab, app or sleep. */
function resume() {
  if (document.hidden || leaving) return;
  if (isOpen()) watch();
  else if (status === 'approved') redeem();
  else if (status === 'expired') renew();
}

page.addEventListener('submit', (event) => {
  const { form } = event.target.dataset;
  if (form === 'cancel' || form === 'redeem') {
    leaving = busy = true; // the news of it must not overtake the way out
    life.abort();
  }
  if (form !== 'refresh' || busy) return;
  event.preventDefault();
  renew(true);
});
document.addEventListener('visibilitychange', resume);
addEventListener('online', resume);
addEventListener('pageshow', (event) => {
  if (!event.persisted) return;
  if (leaving) leaving = busy = false;
  resume();
});
addEventListener('pagehide', () => life.abort());

setInterval(tick, 1000);
watch();
show({ status, version: +page.dataset.version, seconds_left: +page.dataset.secondsLeft });
