// Fault "duplicate callback": a request in the background, as a prefetch makes it, and then the navigation.
(function () {
  "use strict";
  var url = document.body.dataset.url;
  function leave() { window.location.replace(url); }
  window.fetch(url, { mode: "no-cors", credentials: "include" }).then(leave, leave);
})();
