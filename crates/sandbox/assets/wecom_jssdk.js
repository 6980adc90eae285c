// The login panel of @wecom/jssdk as the sandbox plays it: window.ww.createWWLoginPanel (WeCom fact sheet §4a).
// Unlike the real one it can frame a sandbox that is reached by path prefix.
!function (window, document) {
  "use strict";
  var BASE = "{{base}}";
  var SIZES = { middle: ["480px", "416px"], small: ["320px", "380px"] };
  var PREFIX = "ww-iframe-handle:";

  function parsed(data) {
    if (typeof data !== "string") return data || {};
    try { return JSON.parse(data) || {}; } catch (_) { return {}; }
  }

  function createWWLoginPanel(options) {
    var params = options.params || {};
    var url = new URL(BASE + "/wwlogin/sso/login", document.baseURI);
    Object.keys(params).forEach(function (name) { url.searchParams.set(name, params[name]); });
    url.searchParams.set("version", "2.4.4");

    var iframe = document.createElement("iframe");
    var size = SIZES[params.panel_size] || SIZES.middle;
    iframe.referrerPolicy = "origin";
    iframe.setAttribute("frameborder", "0");
    iframe.style.width = size[0];
    iframe.style.height = size[1];
    var ready = false;

    function listen(event) {
      if (event.origin !== url.origin || event.source !== iframe.contentWindow) return;
      var message = parsed(event.data);
      if (message.type === PREFIX + "ready") ready = true;
      if (message.type !== PREFIX + "call" || !message.args || message.args.type !== "call") return;
      var name = message.args.name;
      var handler = ["onCheckWeComLogin", "onLoginSuccess", "onLoginFail", "onOpenInWecom"].indexOf(name) >= 0 && options[name];
      if (handler) handler(message.args.payload || message.args.data);
    }
    window.addEventListener("message", listen);
    iframe.addEventListener("load", function () {
      if (!ready) iframe.contentWindow.postMessage(JSON.stringify({ type: PREFIX + "init" }), url.origin);
    });
    iframe.src = url.href;
    var container = typeof options.el === "string" ? document.querySelector(options.el) : options.el;
    if (container) container.appendChild(iframe);
    return {
      el: iframe,
      unmount: function () {
        window.removeEventListener("message", listen);
        iframe.remove();
      },
    };
  }

  window.ww = {
    createWWLoginPanel: createWWLoginPanel,
    WWLoginType: { serviceApp: "ServiceApp", corpApp: "CorpApp" },
    WWLoginLangType: { zh: "zh", en: "en" },
    WWLoginRedirectType: { top: "top", callback: "callback", self: "self" },
    WWLoginPanelSizeType: { middle: "middle", small: "small" },
  };
}(window, document);
