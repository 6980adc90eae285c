// Tells the window that opened this one how the login ended, if its page is of the website's origin, and closes. The
// browser compares the origin and drops the message otherwise. Without an opener the answer travels by the address.
const page = document.getElementById('answer');
const { target, response, fallback } = page.dataset;
const { opener } = window;

if (opener && !opener.closed) {
  // A code is good once: the link that would bring it a second time goes away.
  page.querySelector('[data-fallback]').remove();
  opener.postMessage({ type: 'authorization_response', response: JSON.parse(response) }, target);
  window.close();
} else {
  location.replace(fallback);
}
