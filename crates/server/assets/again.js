/**
 * Inside the platform's frame: opens our own callback once more, which goes back to the login page. `replace` keeps the
 * step out of the history, so that the browser's back button still leaves the login page in one press. Without script
 * the page has a link.
 */
const page = document.getElementById('again');
if (page && page.dataset.again) location.replace(page.dataset.again);
