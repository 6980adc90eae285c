/** The app's screens: sign in to the app, scan, say yes or no. */

import { scanCodeOf } from './link.mjs';
import { asksFor } from './purpose.mjs';

const at = (id) => document.getElementById(id);
const DONE = {
  denied: '已拒绝。 Refused.',
  wrong_number: '数字不对，请在电脑上重新获取二维码。 Not the number; get a new code on the computer.',
};
/** Refusals after which this phone cannot answer any more. After others, or if nothing is heard, the person may press again. */
const FINAL = ['unknown_login', 'taken', 'finished', 'unauthorized', 'person_disabled', 'person_refused', 'way_not_admitted'];

const settings = await (await fetch('/settings')).json();
/** The login under way. Memory only. */
let login = null;

for (const [id, name] of Object.entries(settings.people)) {
  const button = document.createElement('button');
  button.textContent = name;
  button.dataset.person = id;
  button.addEventListener('click', () => signIn(id));
  at('people').append(button, ' ');
}

async function post(path, body) {
  const response = await fetch(path, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
  });
  const told = await response.json();
  if (!response.ok) throw Object.assign(new Error(told.message ?? told.error), { refusal: told.error });
  return told;
}

/** Runs one step; what goes wrong is said. */
async function attempt(step) {
  try {
    await step();
  } catch (error) {
    finish(error.message);
  }
}

function finish(message) {
  login = null;
  at('confirm').hidden = true;
  at('message').textContent = message;
}

function signIn(person) {
  return attempt(async () => {
    const { name } = await post('/sign-in', { person });
    at('people').textContent = name;
    at('scan').hidden = false;
    at('camera').hidden = !('BarcodeDetector' in window && navigator.mediaDevices);
  });
}

function open(text) {
  return attempt(async () => {
    const code = scanCodeOf(text, settings.mashang);
    if (!code) throw new Error(`这不是 ${settings.mashang} 的登录码。 Not a login code of ${settings.mashang}.`);
    const told = await post(`/phone/${code}/scan`, {});
    const asks = asksFor(told.login.purpose);
    login = { code, phoneToken: told.phone_token, asks };
    for (const part of ['title', 'warning', 'approve']) at(part).textContent = asks[part];
    // Chosen by whoever asks: in quotes, and never beside the name of the site.
    at('account').textContent = told.login.account ? `“${told.login.account}”` : '';
    for (const row of document.getElementsByClassName('account')) row.hidden = told.login.purpose !== 'link';
    for (const name of ['site', 'host', 'device', 'address']) at(name).textContent = told.login[name];
    at('at').textContent = new Date(told.login.at).toLocaleString();
    at('number').value = '';
    at('number').parentElement.hidden = told.login.number_digits === 0;
    at('number').maxLength = told.login.number_digits;
    at('approve').disabled = told.login.number_digits > 0;
    at('message').textContent = '';
    at('confirm').hidden = false;
  });
}

async function answer(step, more = {}) {
  if (!login) return;
  const pending = login;
  login = null; // a second press while the first is under way is none
  try {
    const { status } = await post(`/phone/${pending.code}/${step}`, { phone_token: pending.phoneToken, ...more });
    finish(status === 'approved' ? pending.asks.approved : DONE[status]);
  } catch (error) {
    if (FINAL.includes(error.refusal)) return finish(error.message);
    login ??= pending; // its token is nowhere else: without it, this phone is another phone
    at('message').textContent = `${error.message} 请再试一次。 Try again.`;
  }
}

async function camera() {
  const video = at('video');
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
  video.srcObject = stream;
  video.hidden = false;
  await video.play();
  const detector = new BarcodeDetector({ formats: ['qr_code'] });
  const stop = () => { stream.getTracks().forEach((track) => track.stop()); video.hidden = true; };
  const look = async () => {
    const [found] = await detector.detect(video);
    if (!found) return requestAnimationFrame(look);
    stop();
    return open(found.rawValue);
  };
  return look();
}

at('paste').addEventListener('submit', (event) => { event.preventDefault(); open(at('link').value); });
at('camera').addEventListener('click', () => attempt(camera));
at('number').addEventListener('input', ({ target }) => { at('approve').disabled = target.value.length < target.maxLength; });
at('approve').addEventListener('click', () => answer('approve', { number: at('number').value }));
at('deny').addEventListener('click', () => answer('deny'));
