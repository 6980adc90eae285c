// wxLogin.js of the sandbox: puts the QR page into one iframe (options: WeChat fact sheet §1.6).
!function (window, document) {
  "use strict";
  var OPEN = "{{open}}";

  function WxLogin(options) {
    var self = options.self_redirect === true ? "true" : options.self_redirect === false ? "false" : "default";
    // Inserted raw, in this order: encoding redirect_uri and state is the caller's duty.
    var src = OPEN + "/connect/qrconnect?appid=" + options.appid + "&scope=" + options.scope +
      "&redirect_uri=" + options.redirect_uri + "&state=" + options.state + "&login_type=jssdk&self_redirect=" + self +
      "&styletype=" + (options.styletype || "") + "&sizetype=" + (options.sizetype || "") +
      "&bgcolor=" + (options.bgcolor || "") + "&rst=" + (options.rst || "");
    if (options.style) src += "&style=" + options.style;
    if (options.href) src += "&href=" + options.href;
    if (options.lang === "en") src += "&lang=en";
    if (options.stylelite === 1) src += "&stylelite=1";
    if (options.fast_login === 0) src += "&fast_login=0";
    if (["auto", "dark", "light"].indexOf(options.color_scheme) >= 0) src += "&color_scheme=" + options.color_scheme;

    var iframe = document.createElement("iframe");
    iframe.src = src;
    iframe.frameBorder = "0";
    iframe.allowTransparency = "true";
    iframe.scrolling = "no";
    iframe.width = "300px";
    iframe.height = "400px";
    var container = document.getElementById(options.id);
    container.innerHTML = "";
    container.appendChild(iframe);

    var origin = new URL(src, document.baseURI).origin;
    function listen(event) {
      if (event.origin !== origin) return;
      var message;
      try { message = JSON.parse(event.data); } catch (_) { return; }
      if (message && message.type === "status" && message.status === "wxReady" && options.onReady) options.onReady(true);
    }
    window.addEventListener("message", listen);
    options.onCleanup = function () { window.removeEventListener("message", listen); };
  }

  window.WxLogin = WxLogin;
}(window, document);
