// The WeCom login page: waiting, and what it says to a page around it (WeCom fact sheet §4; messages as
// @wecom/jssdk 2.4.4 and WwLogin 1.x expect them).
(function () {
  "use strict";
  var page = document.body.dataset;
  var framed = window.parent !== window;
  var sdk = framed && page.panel === "jssdk";
  // With referrerPolicy "origin" the frame learns who is around it; that page alone is spoken to.
  var around = document.referrer ? new URL(document.referrer).origin : "";
  var port = null, asked = null;

  // ---- @wecom/jssdk: objects of type ww-iframe-handle:…, later over a channel of its own ----

  function send(message) {
    if (port) port.postMessage(message);
    else if (around) window.parent.postMessage(message, around);
  }

  function call(name, data) {
    if (sdk) send({ type: "ww-iframe-handle:call", args: { type: "call", name: name, data: data } });
  }

  function parsed(data) {
    if (typeof data !== "string") return data || {};
    try { return JSON.parse(data) || {}; } catch (_) { return {}; }
  }

  var greeted = false;
  function greet() {
    if (greeted) return;
    greeted = true;
    send({ type: "ww-iframe-handle:ready", supportChannel: true });
    call("onCheckWeComLogin", { isWeComLogin: false });
    if (page.problem) call("onLoginFail", { errCode: Number(page.problemCode), errMsg: page.problem });
  }

  window.addEventListener("message", function (event) {
    if (event.source !== window.parent) return;
    // The old script asks once, and is answered by the whole address (§4b).
    if (event.data === "ask_usePostMessage") { asked = event.origin; return; }
    if (!sdk || event.origin !== around) return;
    var message = parsed(event.data);
    if (message.type === "ww-iframe-handle:init") greet();
    if (message.type === "ww-iframe-handle:set-port" && event.ports[0]) port = event.ports[0];
  });
  if (sdk) greet();

  // ---- waiting ----

  function panel(name) {
    document.querySelectorAll(".js_status").forEach(function (status) {
      status.hidden = !status.classList.contains(name);
    });
  }

  function wait(last) {
    var url = page.base + "/wwopen/sandbox/wait?key=" + encodeURIComponent(page.key) + "&last=" + last;
    window.fetch(url, { cache: "no-store" }).then(function (answer) { return answer.json(); }).then(function (news) {
      switch (news.stage) {
        case "waiting": return wait(last);
        case "scanned": panel("js_scanned"); return wait("scanned");
        case "done": return finish(news);
        default: return expired();
      }
    }).catch(function () { window.setTimeout(wait, 5000, last); });
  }

  function expired() {
    var button = document.querySelector(".js_refresh");
    button.hidden = false;
    button.onclick = function () { window.location.reload(); };
    panel("js_waiting");
  }

  function finish(news) {
    panel("js_done");
    if (sdk && page.redirectType === "callback") {
      if (news.code) call("onLoginSuccess", { code: news.code });
      else call("onLoginFail", { errCode: -1, errMsg: "cancelled" });
      return;
    }
    if (framed && page.panel === "wwlogin" && asked) {
      window.parent.postMessage(news.url, asked);
      return;
    }
    var goal = framed && !(sdk && page.redirectType === "self") ? window.top : window;
    if (!news.twice) { goal.location.href = news.url; return; }
    // Fault "duplicate callback": a request in the background, as a prefetch makes it, and then the navigation.
    window.fetch(news.url, { mode: "no-cors", credentials: "include" }).catch(function () {}).then(function () {
      goal.location.href = news.url;
    });
  }

  if (!page.problem) wait("");
})();
