// @ts-check
/**
 * The waiting part of the login page. Without it the page still works: QR, number and forms are in the HTML.
 *
 *   watch ──► show ──┬─ approved ──► redeem ──► the website
 *     ▲              ├─ expired ───► renew ──┐
 *     └──────────────┴── fresh ticket ◄──────┘   (denied: the person presses the button)
 *
 * News comes by pushed events; where those do not get through by held requests; else by asking again and again.
 * News is only a state: it never carries a person, a code or an address. What the page shows follows `data-status` on
 * <main>. Nothing from the server is ever written as HTML.
 *
 * @typedef {{status: string, version?: number, seconds_left?: number, reason?: string}} News
 */

const page = /** @type {HTMLElement} */ (document.getElementById('login'));
const urls = JSON.parse(page.dataset.urls || '{}');
const words = JSON.parse(page.dataset.words || '{}');
const AUTOMATIC_RENEWALS = 20;

let status = 'waiting';
let version = 0;
/** When the present stage ends, on the clock of performance.now(), in ms. */
let deadline = 0;
let renewals = 0;
let busy = false;
/** Ends the present watch. */
let life = new AbortController();

/** @param {string} selector @returns {any[]} */
const all = (selector) => Array.from(page.querySelectorAll(selector));
/** @param {string} name */
const word = (name) => words[name] || words['login.live.' + name] || '';
/** @param {string} text */
const announce = (text) => all('[data-live]').forEach((live) => { live.textContent = text; });
/** @param {number} ms @returns {Promise<void>} */
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
/** @param {number} attempt */
const backoff = (attempt) => sleep(Math.min(10000, 1000 * 2 ** attempt));

/** @param {string} url @param {RequestInit} options @param {number} limit in ms */
async function request(url, options, limit) {
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(), limit);
  try {
    return await fetch(url, Object.assign({ signal: clock.signal, cache: 'no-store', headers: { accept: 'application/json' } }, options));
  } finally {
    clearTimeout(timer);
  }
}
/** @param {string} url */
const post = (url) => request(url, { method: 'POST' }, 20000);

// ---- watching ----

function watch() {
  life.abort();
  life = new AbortController();
  const signal = life.signal;
  listen(signal).then(() => poll(signal));
}

/** Pushed events. Resolves when they do not get through, or when the watch has ended. @param {AbortSignal} signal */
function listen(signal) {
  return new Promise((done) => {
    if (!window.EventSource) return done();
    const source = new EventSource(urls.events);
    let heard = false;
    let errors = 0;
    const stop = () => { source.close(); clearTimeout(silence); done(); };
    const silence = setTimeout(stop, 8000); // the server speaks at once: silence is a proxy holding the stream back
    source.addEventListener('status', (event) => {
      clearTimeout(silence);
      heard = true;
      errors = 0;
      show(JSON.parse(/** @type {MessageEvent} */ (event).data));
    });
    source.onerror = () => {
      errors += 1;
      if (!heard || errors > 1 || source.readyState === EventSource.CLOSED) stop();
    };
    signal.addEventListener('abort', stop);
  });
}

/** Held requests, then short ones every 2 s. @param {AbortSignal} signal */
async function poll(signal) {
  let hold = true;
  let failures = 0;
  while (!signal.aborted) {
    const asked = performance.now();
    try {
      const news = await ask(hold);
      failures = 0;
      if (signal.aborted) return;
      const moved = news.version !== version;
      show(news);
      if (!moved && (!hold || performance.now() - asked < 1000)) await sleep(2000);
    } catch (error) {
      failures += 1;
      if (hold && (error.name === 'AbortError' || failures > 1)) hold = false;
      await (error.wait ? sleep(error.wait) : backoff(failures));
    }
  }
}

/** @param {boolean} hold whether the server may wait for a change @returns {Promise<News>} */
async function ask(hold) {
  const url = new URL(urls.status, location.href);
  if (hold) {
    url.searchParams.set('wait', '25');
    url.searchParams.set('seen', String(version));
  }
  const answer = await request(url.href, {}, hold ? 40000 : 10000);
  if (answer.ok) return answer.json();
  if (answer.status === 404) return { status: 'expired' }; // the server forgot this ticket: it gets a fresh one
  throw Object.assign(new Error('status ' + answer.status), { wait: 1000 * Number(answer.headers.get('retry-after')) });
}

// ---- what happens next ----

/** @param {News} news */
function show(news) {
  if (news.version !== undefined && news.version < version) return; // an older answer, overtaken
  const next = news.status === 'denied' && news.reason === 'wrong_number' ? 'wrong_number' : news.status;
  const changed = next !== status;
  status = next;
  version = news.version === undefined ? version : news.version;
  deadline = performance.now() + 1000 * (news.seconds_left || 0);
  page.dataset.status = status;
  tick();
  if (changed) announce(word(status));
  if (status === 'waiting' || status === 'scanned') return;
  life.abort();
  if (status === 'approved') redeem();
  else if (status !== 'denied' && status !== 'wrong_number') renew();
}

async function redeem() {
  if (busy) return;
  busy = true;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    try {
      const answer = await post(urls.redeem);
      const body = await answer.json();
      if (answer.ok) return location.replace(body.redirect);
      if (answer.status < 500 && answer.status !== 429 && body.status !== 'approved') {
        busy = false;
        show({ status: body.status || 'expired', reason: body.reason });
        return status === 'waiting' || status === 'scanned' ? watch() : undefined;
      }
    } catch (error) { /* the network; once more */ }
    await backoff(attempt);
  }
  busy = false;
  all('[data-help]').forEach((help) => { help.open = true; });
  announce(word('manual'));
}

/** A fresh ticket: by itself while the page is looked at, up to a limit; else when the person asks. */
async function renew(asked = false) {
  if (busy || (!asked && (document.hidden || renewals >= AUTOMATIC_RENEWALS))) return;
  busy = true;
  renewals = asked ? 0 : renewals + 1;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const answer = await post(urls.refresh);
      if (answer.ok) {
        swap(await answer.json());
        break;
      }
      if (answer.status === 410) return location.reload(); // the whole login is over; the server explains
      if (answer.status < 500 && answer.status !== 429) break;
    } catch (error) { /* the network, or a server starting again */ }
    if (attempt > 5) break;
    await backoff(attempt);
  }
  busy = false;
}

/** Puts a fresh ticket in the place of the old one. @param {any} fresh */
function swap(fresh) {
  const { ticket, frame } = fresh;
  Object.assign(urls, fresh.urls);
  all('[data-qr]').forEach((box) => {
    const svg = new DOMParser().parseFromString(ticket.qr_svg, 'image/svg+xml').documentElement;
    box.textContent = '';
    box.appendChild(document.importNode(svg, true));
  });
  all('[data-text="number"]').forEach((number) => { number.textContent = ticket.number; });
  all('[data-scan-url]').forEach((field) => { field.value = ticket.scan_url; });
  all('form[data-form]').forEach((form) => { form.action = urls[form.dataset.form]; });
  const links = { sandbox: fresh.sandbox_phone_href, continue: fresh.continue_href, frame: frame && frame.redirect_href };
  all('a[data-link]').forEach((link) => { if (links[link.dataset.link]) link.href = links[link.dataset.link]; });
  if (frame) {
    all('[data-frame]').forEach((old) => { // a new element, so that "back" does not walk through old codes
      const next = old.cloneNode();
      next.src = frame.src;
      old.replaceWith(next);
    });
  }
  version = 0;
  show(ticket);
  announce(word('renewed'));
  watch();
}

// ---- the clock ----

function tick() {
  const left = Math.max(0, Math.ceil((deadline - performance.now()) / 1000));
  const time = Math.floor(left / 60) + ':' + String(left % 60).padStart(2, '0');
  const text = word(status === 'scanned' ? 'confirm_within' : 'valid').replace('{time}', time);
  all('[data-countdown]').forEach((place) => { place.textContent = text; });
  if (left > 0 || life.signal.aborted) return;
  deadline = performance.now() + 3000; // the server decides whether it is over
  ask(false).then(show, () => {});
}

// ---- the person ----

page.addEventListener('submit', (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.dataset.form !== 'refresh') return;
  event.preventDefault();
  if (busy) form.submit(); // a renewal hangs: the plain way
  else renew(true);
});

all('[data-copy]').forEach((button) => {
  button.hidden = false;
  button.addEventListener('click', async () => {
    const field = page.querySelector('input[data-scan-url]');
    field.select();
    let copied = true;
    try {
      await navigator.clipboard.writeText(field.value);
    } catch (error) { // no clipboard on plain http
      copied = document.execCommand('copy');
    }
    announce(word(copied ? 'copied' : 'copy_failed'));
    if (copied) button.textContent = word('copied');
  });
});

/** Back from another tab, from the phone's other app, from sleep, from the history. */
function resume() {
  if (document.hidden) return;
  if (status === 'waiting' || status === 'scanned') watch();
  else if (status === 'expired') renew();
}
document.addEventListener('visibilitychange', resume);
window.addEventListener('online', resume);
window.addEventListener('pageshow', (event) => { if (event.persisted) resume(); });
window.addEventListener('pagehide', () => life.abort());

setInterval(tick, 1000);
watch();
show({ status: page.dataset.status || 'waiting', version: Number(page.dataset.version), seconds_left: Number(page.dataset.secondsLeft) });
