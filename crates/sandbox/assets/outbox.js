// Shows a message as soon as it is there; without it, a reload does.
(function () {
  "use strict";
  var box = document.querySelector(".js_outbox");

  function look() {
    if (document.hidden) return window.setTimeout(look, 1500);
    fetch("/sandbox/api/outbox").then(function (answer) { return answer.json(); }).then(function (told) {
      var newest = told.messages.length ? told.messages[0].number : 0;
      if (newest !== Number(box.dataset.newest)) return window.location.reload();
      window.setTimeout(look, 1500);
    }).catch(function () { window.setTimeout(look, 5000); });
  }

  window.setTimeout(look, 1500);
})();
