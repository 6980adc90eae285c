// What the QR page does while it waits: the behaviour and the delays of WeChat fact sheet §1.4 and §1.5.
(function () {
  "use strict";
  var page = document.body.dataset;
  var uuid = page.uuid;
  var POLL_TIMEOUT_MS = 60000;
  var counter = Date.now();

  function panel(name) {
    document.querySelectorAll(".js_status").forEach(function (status) {
      status.hidden = !status.classList.contains(name);
    });
  }

  function pollLater(delay, last) {
    window.setTimeout(function () { poll(last); }, delay);
  }

  // As a script, since the poll host is another origin. A late answer of a timed-out poll is ignored.
  function poll(last) {
    window.wx_errcode = undefined;
    window.wx_code = "";
    window.sandbox_twice = undefined;
    var script = document.createElement("script");
    var over = false;
    function end(next) {
      if (over) return;
      over = true;
      window.clearTimeout(timer);
      script.remove();
      next();
    }
    function again() { pollLater(5000, last); }
    var timer = window.setTimeout(function () { end(again); }, POLL_TIMEOUT_MS);
    script.onload = function () { end(function () { react(again); }); };
    script.onerror = function () { end(again); };
    script.src = page.poll + "/connect/l/qrconnect?uuid=" + encodeURIComponent(uuid) + (last ? "&last=" + last : "") +
      "&_=" + counter++;
    document.head.appendChild(script);
  }

  function react(again) {
    switch (window.wx_errcode) {
      case 408: return pollLater(2000);
      case 404: panel("js_wx_after_scan"); return pollLater(100, "404");
      case 403: panel("js_wx_after_cancel"); return pollLater(2000, "403");
      case 405: return finish(window.wx_code, window.sandbox_twice);
      case 402:
      case 500: return refresh();
      default: return again();
    }
  }

  // A naive append, as the real page does it: a fragment is not handled. No code means "state only".
  function finish(code, twice) {
    var url = page.redirect + (page.redirect.indexOf("?") < 0 ? "?" : "&") + (code ? "code=" + code + "&" : "") +
      "state=" + page.state;
    if (!twice) return leave(url);
    // Fault "duplicate callback": a request in the background, as a prefetch makes it, and then the navigation.
    window.fetch(url, { mode: "no-cors", credentials: "include" }).catch(function () {}).then(function () { leave(url); });
  }

  function leave(url) {
    if (window.self === window.top) { window.location = url; return; }
    var match = /[?&]self_redirect=(true|false|default)/.exec(window.location.search);
    var choice = match ? match[1] : "default";
    if (choice === "true") {
      try { window.location = url; } catch (_) { window.top.location = url; }
    } else if (choice === "false") {
      window.top.location = url;
    } else {
      var inside = false;
      try { inside = Boolean(window.top.location.host); } catch (_) { inside = false; }
      if (inside) window.location = url; else window.top.location = url;
    }
  }

  // A fresh uuid for the same request. If that fails, the person decides when to try again.
  function refresh() {
    var now = Date.now();
    var request = new XMLHttpRequest();
    request.open("GET", window.location.href.split("#")[0] + "&f=xml&" + now + "&_=" + now);
    request.setRequestHeader("Accept", "application/xml, text/xml");
    request.onload = function () {
      var found = request.responseXML && request.responseXML.querySelector("uuid");
      if (!found || !found.textContent) return showExpired();
      uuid = found.textContent;
      document.querySelector(".js_qrcode_img").src = page.open + "/connect/qrcode/" + uuid;
      document.querySelector(".js_phone").href = page.phone + encodeURIComponent(page.confirm + uuid);
      panel("js_wx_default_tip");
      pollLater(100);
    };
    request.onerror = showExpired;
    request.send();
  }

  function showExpired() {
    var button = document.querySelector(".js_refresh");
    button.hidden = false;
    button.onclick = function () { window.location.reload(); };
  }

  if (window.parent !== window) {
    window.parent.postMessage(JSON.stringify({ type: "status", status: "wxReady" }), "*");
  }
  // Not before the load event: a script that is still loading would hold it back until the poll is answered.
  if (document.readyState === "complete") pollLater(100);
  else window.addEventListener("load", function () { pollLater(100); });
})();
