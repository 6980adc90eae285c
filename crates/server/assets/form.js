/**
 * Conveniences of the login page's forms; without it they still work: showing what is typed as a password, counting down
 * until a code can be asked for again, and one answer to two clicks. Nothing is fetched, and nothing is watched.
 */

const page = document.getElementById('login');
const all = (selector) => Array.from(page.querySelectorAll(selector));

// ---- a password that can be looked at ----

for (const button of all('[data-reveal]')) {
  const field = document.getElementById(button.dataset.reveal);
  const words = [button.textContent, button.dataset.hide];
  const show = (shown) => {
    field.type = shown ? 'text' : 'password';
    button.textContent = words[shown ? 1 : 0];
  };
  button.hidden = false;
  button.addEventListener('click', () => show(field.type === 'password'));
  field.form.addEventListener('submit', () => show(false)); // or the browser remembers it as a plain text
}

// ---- asking again for a code ----

for (const button of all('[data-wait]')) {
  const until = performance.now() + 1000 * button.dataset.wait;
  const words = button.textContent;
  const tick = () => {
    const left = Math.ceil((until - performance.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? button.dataset.waiting.replace('{n}', left) : words;
    if (left > 0) setTimeout(tick, 1000);
  };
  tick();
}

// ---- two clicks ----

page.addEventListener('submit', (event) => {
  if (event.target.dataset.sent) return event.preventDefault();
  event.target.dataset.sent = 'yes';
});
addEventListener('pageshow', () => {
  for (const form of all('form')) delete form.dataset.sent; // back from where it led
});

// A page that came back with a complaint has a form's address: a reload shall ask nothing again.
history.replaceState(null, '', page.dataset.page);
