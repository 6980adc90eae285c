// Sends the form of the one-time link at once; the button remains for browsers without scripts.
const form = document.querySelector('[data-onward]');
if (form && form.requestSubmit) form.requestSubmit();
else if (form) form.submit(); // Safari before 16
