/**
 * Passkeys: `<div data-passkey="get|create" data-options="address" data-verify="address" data-words="JSON">` with a hidden
 * `[data-passkey-button]` and an empty `[data-passkey-complaint]`; for a new key also `[data-passkey-name]`, a field, and
 * `data-token`. The server asks, the device answers, the server says where to go. Bytes travel in base64url.
 */

for (const place of document.querySelectorAll('[data-passkey]')) offer(place);

function offer(place) {
  const words = JSON.parse(place.dataset.words);
  const button = place.querySelector('[data-passkey-button]');
  const complaint = place.querySelector('[data-passkey-complaint]');
  const say = (word) => {
    complaint.textContent = word ? words[word] || words.failed : '';
    complaint.hidden = !word;
  };
  if (!window.isSecureContext) return say('insecure');
  if (!window.PublicKeyCredential || !navigator.credentials) return say('unsupported');
  button.hidden = false;
  button.addEventListener('click', async () => {
    if (button.disabled) return;
    button.disabled = true;
    say('');
    try {
      const to = await run(place);
      location.assign(to);
    } catch (error) {
      say(typeof error.word === 'string' ? error.word : 'failed');
      button.disabled = false;
      button.focus();
    }
  });
}

/** One question and its answer; resolves to the address to go to. */
async function run(place) {
  const { passkey: kind, options, verify, token } = place.dataset;
  const field = place.querySelector('[data-passkey-name]');
  const name = field ? field.value : undefined;
  const asked = await post(options, token === undefined ? {} : { token });
  if (asked.redirect) return asked.redirect;
  const publicKey = decoded(asked.publicKey);
  const began = performance.now();
  let credential;
  try {
    credential = await navigator.credentials[kind]({ publicKey });
  } catch (error) {
    throw because(wordFor(error, performance.now() - began >= publicKey.timeout - 1000));
  }
  if (!credential) throw because('cancelled');
  try {
    const answer = encoded(credential);
    const told = await post(verify, token === undefined ? answer : { token, name, credential: answer });
    return told.redirect;
  } catch (error) {
    if (error.word === 'unknown') forget(publicKey.rpId, credential.id);
    throw error;
  }
}

/** What browsers call it, in our words. They do not tell a cancelled question from a device without a key. */
function wordFor(error, isLate) {
  if (error.name === 'InvalidStateError') return 'known';
  if (error.name === 'SecurityError') return 'domain';
  if (error.name === 'NotSupportedError' || error.name === 'ConstraintError') return 'unsupported';
  if (error.name === 'NotAllowedError') return isLate ? 'timed_out' : 'cancelled';
  return 'failed';
}

function because(word) {
  return Object.assign(new Error(word), { word });
}

async function post(address, body) {
  let response;
  try {
    response = await fetch(address, {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  } catch {
    throw because('offline');
  }
  const told = await response.json().catch(() => ({}));
  if (!response.ok) throw because(told.error || 'failed');
  return told;
}

/** The device offers a removed key no more, where the browser can be told (WebAuthn Level 3, §5.1.10). */
function forget(rpId, credentialId) {
  if (!PublicKeyCredential.signalUnknownCredential) return;
  PublicKeyCredential.signalUnknownCredential({ rpId, credentialId }).catch(() => {});
}

/** The server's options as the browser wants them. */
function decoded(options) {
  const key = (one) => ({ ...one, id: bytes(one.id) });
  const ready = { ...options, challenge: bytes(options.challenge) };
  if (options.user) ready.user = { ...options.user, id: bytes(options.user.id) };
  if (options.excludeCredentials) ready.excludeCredentials = options.excludeCredentials.map(key);
  if (options.allowCredentials) ready.allowCredentials = options.allowCredentials.map(key);
  return ready;
}

/** The device's answer as the server wants it. */
function encoded(credential) {
  const { response } = credential;
  const told = { clientDataJSON: text(response.clientDataJSON) };
  if (response.attestationObject) {
    told.attestationObject = text(response.attestationObject);
  } else {
    told.authenticatorData = text(response.authenticatorData);
    told.signature = text(response.signature);
    told.userHandle = response.userHandle ? text(response.userHandle) : null;
  }
  const { credProps } = credential.getClientExtensionResults();
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response: told,
    clientExtensionResults: credProps ? { credProps } : {},
  };
}

function bytes(base64url) {
  const binary = atob(base64url.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const binary = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}
